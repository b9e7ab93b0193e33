//! seccomp: the system calls that are left. Others fail as if the kernel did not know them, so that
//! libraries take the ways that they have for older kernels.

use std::collections::BTreeMap;
use std::error::Error;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter,
};

use super::Access;

type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

/// What decoders need: memory, threads, time, and the pipes that they have.
const COMPUTING: &[c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_lseek,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_sigaltstack,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_tgkill,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
];

/// What other programs must not do: talk to anybody, look into other processes, change the kernel.
const FORBIDDEN: &[c_long] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    // Does all of the above by itself.
    libc::SYS_io_uring_setup,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_mount,
    libc::SYS_unshare,
    libc::SYS_setns,
];

/// Leaves to this process, and to what it starts, the system calls of `access`.
pub fn filter(access: Access<'_>) -> Result<(), Box<dyn Error>> {
    let unknown = SeccompAction::Errno(libc::ENOSYS as u32);
    let refused = SeccompAction::Errno(libc::EACCES as u32);
    let (rules, others, listed) = match access {
        Access::Pipes => (computing()?, unknown, SeccompAction::Allow),
        Access::Files | Access::Directory(_) => (whole(FORBIDDEN), SeccompAction::Allow, refused),
    };
    let architecture = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(rules, others, listed, architecture)?;
    let program: BpfProgram = filter.try_into()?;
    Ok(apply_filter(&program)?)
}

fn computing() -> Result<Rules, seccompiler::BackendError> {
    let mut rules = whole(COMPUTING);
    // Memory, but no new code.
    let no_code = [lacks(2, libc::PROT_EXEC as u64)?];
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(call, vec![SeccompRule::new(no_code.to_vec())?]);
    }
    // Threads, but no processes. clone3 hides its flags from us, and is unknown.
    let thread = [has(0, libc::CLONE_THREAD as u64)?];
    rules.insert(libc::SYS_clone, vec![SeccompRule::new(thread.to_vec())?]);
    // Names of threads.
    let name = [is(0, libc::PR_SET_NAME as u64)?];
    rules.insert(libc::SYS_prctl, vec![SeccompRule::new(name.to_vec())?]);
    // Limits of its own.
    let own = [is(0, 0)?];
    rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(own.to_vec())?]);
    Ok(rules)
}

/// Whatever their arguments are.
fn whole(calls: &[c_long]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

type Condition = Result<SeccompCondition, seccompiler::BackendError>;

fn is(argument: u8, value: u64) -> Condition {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, value)
}

fn has(argument: u8, bits: u64) -> Condition {
    let equal = SeccompCmpOp::MaskedEq(bits);
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, equal, bits)
}

fn lacks(argument: u8, bits: u64) -> Condition {
    let equal = SeccompCmpOp::MaskedEq(bits);
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, equal, 0)
}
