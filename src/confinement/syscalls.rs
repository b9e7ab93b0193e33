//! seccomp: the system calls that are left. Others fail as if the kernel did not know them, so that
//! libraries take the ways that they have for older kernels.

use std::collections::BTreeMap;
use std::error::Error;

use libc::c_long;
use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter, sock_filter,
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
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
];

/// What other programs must not do: talk to anybody, look into other processes or disturb them, leave anything
/// in the kernel's memory, change the kernel.
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
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_kcmp,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    // To itself, a program sends signals by tgkill.
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_msgget,
    libc::SYS_semget,
    libc::SYS_mq_open,
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_fsconfig,
    libc::SYS_mount_setattr,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    // Hides its flags from us. Whoever does not find it uses clone.
    libc::SYS_clone3,
];

/// What a program with files of its own must not change of any: who may use them, and when they were used.
const METADATA: &[c_long] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    // Of later kernels, with the same numbers on all machines.
    FCHMODAT2,
    SETXATTRAT,
    REMOVEXATTRAT,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
];

const FCHMODAT2: c_long = 452;
const SETXATTRAT: c_long = 463;
const REMOVEXATTRAT: c_long = 466;

/// Settings of a file by which the kernel sends signals to others (fcntl and ioctl, asm-generic).
const SIGNALLING_FCNTLS: [u64; 3] = [8, 10, 15]; // F_SETOWN, F_SETSIG, F_SETOWN_EX
const SIGNALLING_IOCTLS: [u64; 2] = [0x8901, 0x8902]; // FIOSETOWN, SIOCSPGRP

/// Namespaces, in which a process may do more.
const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// Memory that no limit counts.
const SHARED_MEMORY: &[c_long] = &[libc::SYS_memfd_create, libc::SYS_shmget, libc::SYS_shmat];

/// Refuses the numbers by which x86-64 kernels offer the same calls once more (x32), before the filter that does not
/// know them. See seccomp(2) and linux/bpf_common.h.
const NO_X32: [sock_filter; 3] = [
    // Load the number of the call.
    instruction(0x20, 0, 0, 0),
    // Go on if it is less than the bit of x32.
    instruction(0x35, 0, 1, 0x4000_0000),
    // Return SECCOMP_RET_ERRNO.
    instruction(0x06, 0, 0, 0x0005_0000 | libc::ENOSYS as u32),
];

const fn instruction(code: u16, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

/// Leaves to this process, and to what it becomes, the system calls of `access`.
pub fn filter(access: Access<'_>) -> Result<(), Box<dyn Error>> {
    let unknown = SeccompAction::Errno(libc::ENOSYS as u32);
    let (rules, others, listed) = match access {
        Access::Pipes => (computing()?, unknown, SeccompAction::Allow),
        Access::Files => (forbidden()?, SeccompAction::Allow, unknown),
        Access::Directory { .. } => (forbidden_alone()?, SeccompAction::Allow, unknown),
    };
    let architecture = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(rules, others, listed, architecture)?;
    let program: BpfProgram = filter.try_into()?;
    let program: BpfProgram = NO_X32.into_iter().chain(program).collect();
    Ok(apply_filter(&program)?)
}

/// The rules of what is left.
fn computing() -> Result<Rules, BackendError> {
    let mut rules = whole(COMPUTING);
    // Memory of its own, but no new code.
    let private = [
        lacks(2, libc::PROT_EXEC as u64)?,
        lacks(3, libc::MAP_SHARED as u64)?,
        // Would be counted as a stack, not as data.
        lacks(3, libc::MAP_GROWSDOWN as u64)?,
    ];
    rules.insert(libc::SYS_mmap, vec![rule(private)?]);
    let no_code = [lacks(2, libc::PROT_EXEC as u64)?];
    rules.insert(libc::SYS_mprotect, vec![rule(no_code)?]);
    // Threads, but no processes.
    let thread = [has(0, libc::CLONE_THREAD as u64)?];
    rules.insert(libc::SYS_clone, vec![rule(thread)?]);
    // Names of threads.
    let name = [is(0, libc::PR_SET_NAME as u64)?];
    rules.insert(libc::SYS_prctl, vec![rule(name)?]);
    // Limits and signals of its own.
    rules.insert(libc::SYS_prlimit64, vec![rule([is(0, 0)?])?]);
    rules.insert(libc::SYS_tgkill, vec![rule([is(0, own_id())?])?]);
    Ok(rules)
}

/// The rules of what is forbidden.
fn forbidden() -> Result<Rules, BackendError> {
    let mut rules = whole(FORBIDDEN);
    let namespaces = NAMESPACES.map(|flag| rule([has(0, flag as u64)?]));
    let namespaces = namespaces.into_iter().collect::<Result<_, _>>()?;
    rules.insert(libc::SYS_clone, namespaces);
    // Limits and signals of others.
    let others = [is_not(0, 0)?, is_not(0, own_id())?];
    rules.insert(libc::SYS_prlimit64, vec![rule(others)?]);
    let others = [is_not(0, own_id())?];
    rules.insert(libc::SYS_tgkill, vec![rule(others)?]);
    rules.insert(libc::SYS_fcntl, any_of(1, &SIGNALLING_FCNTLS)?);
    rules.insert(libc::SYS_ioctl, any_of(1, &SIGNALLING_IOCTLS)?);
    Ok(rules)
}

/// The same, and further processes, which would have limits of their own.
fn forbidden_alone() -> Result<Rules, BackendError> {
    let mut rules = forbidden()?;
    rules.extend(whole(SHARED_MEMORY));
    rules.extend(whole(METADATA));
    let shared = [has(3, libc::MAP_SHARED as u64)?];
    let stack = [has(3, libc::MAP_GROWSDOWN as u64)?];
    rules.insert(libc::SYS_mmap, vec![rule(shared)?, rule(stack)?]);
    let process = [lacks(0, libc::CLONE_THREAD as u64)?];
    rules.insert(libc::SYS_clone, vec![rule(process)?]);
    #[cfg(target_arch = "x86_64")]
    rules.extend(whole(&[libc::SYS_fork, libc::SYS_vfork]));
    Ok(rules)
}

/// Of this process, as of the program that it becomes.
fn own_id() -> u64 {
    std::process::id().into()
}

fn whole(calls: &[c_long]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

fn rule<const N: usize>(conditions: [SeccompCondition; N]) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions.to_vec())
}

/// One rule for each value of an argument.
fn any_of(argument: u8, values: &[u64]) -> Result<Vec<SeccompRule>, BackendError> {
    let rules = values.iter().map(|value| rule([is(argument, *value)?]));
    rules.collect()
}

type Condition = Result<SeccompCondition, BackendError>;

fn is(argument: u8, value: u64) -> Condition {
    SeccompCondition::new(argument, Dword, SeccompCmpOp::Eq, value)
}

fn is_not(argument: u8, value: u64) -> Condition {
    SeccompCondition::new(argument, Dword, SeccompCmpOp::Ne, value)
}

fn has(argument: u8, bits: u64) -> Condition {
    SeccompCondition::new(argument, Qword, SeccompCmpOp::MaskedEq(bits), bits)
}

fn lacks(argument: u8, bits: u64) -> Condition {
    SeccompCondition::new(argument, Qword, SeccompCmpOp::MaskedEq(bits), 0)
}
