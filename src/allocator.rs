//! How the C library's allocator treats what is freed.
//!
//! glibc keeps freed blocks for later, up to ones of 32 MiB, in an arena for each thread. A service
//! that decodes one picture after the other then grows to several times what a job needs. Told a
//! threshold, it hands larger blocks back to the system at once; it can only be told by the
//! environment, or by a call that is not safe Rust. See mallopt(3).
//!
//! Other allocators were measured in its place: mimalloc takes 1.4 to 2 times the memory during a job and
//! three times after it. jemalloc that returns freed pages at once comes close (6 % more after a job, a
//! third less address space), but its C code has to be built.

/// The variables, and the values that suit pictures: planes and frames go back, the rest is kept.
const VARIABLES: [(&str, &str); 2] = [
    ("MALLOC_MMAP_THRESHOLD_", "1048576"),
    ("MALLOC_ARENA_MAX", "2"),
];

/// The same for a process that only decodes, and for a short time: it keeps blocks of up to 32 MiB, which is the
/// most, and 64 MiB in all.
const KEEPING_VARIABLES: [(&str, &str); 4] = [
    ("MALLOC_MMAP_THRESHOLD_", "33554432"),
    ("MALLOC_TRIM_THRESHOLD_", "67108864"),
    ("MALLOC_ARENA_MAX", "2"),
    ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"),
];

/// Begins the program again with the variables set, once, unless one is set already.
///
/// Anything but glibc ignores them. If it cannot be done, the program goes on as it is.
pub fn return_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if VARIABLES
        .iter()
        .all(|(name, _)| std::env::var_os(name).is_none())
        && let Ok(program) = std::env::current_exe()
    {
        use std::os::unix::process::CommandExt;
        let mut arguments = std::env::args_os();
        let mut again = std::process::Command::new(program);
        if let Some(name) = arguments.next() {
            again.arg0(name);
        }
        // Returns only if it failed.
        let _ = again.args(arguments).envs(VARIABLES).exec();
    }
}

/// Sets the variables for a child of the same program, which then need not begin again.
pub fn set_env(child: &mut std::process::Command) {
    child.envs(VARIABLES);
}

/// Lets a child of the same program keep what it frees, for the next picture, in large pages where the system has
/// them: to be given memory page by page takes much of the time of a picture.
pub fn keep_blocks(child: &mut std::process::Command) {
    child.envs(KEEPING_VARIABLES);
}

/// Leaves the variables out of a child's environment: they are for this program alone.
pub fn scrub_env(child: &mut std::process::Command) {
    for (name, _) in VARIABLES {
        child.env_remove(name);
    }
}
