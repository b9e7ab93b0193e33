//! Landlock: which files are left, no TCP, and no signals to others.

use std::error::Error;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope, make_bitflags, path_beneath_rules,
};

/// The newest set of rights that is known here; an older kernel denies those that it knows.
const RIGHTS: ABI = ABI::V6;

/// Where systems keep programs, their libraries, and what these read of every process.
const SYSTEM: [&str; 11] = [
    "/bin",
    "/lib",
    "/lib32",
    "/lib64",
    "/usr",
    "/nix/store",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/localtime",
    "/dev/null",
    "/dev/urandom",
];

/// What the directory's files are for.
const IN_DIRECTORY: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});

/// What its results are for, which are there already: a link or a pipe in their place would deceive whoever
/// reads them.
const RESULTS: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate});

/// Leaves the files of `access`, and signals to itself alone. Fails on a kernel without Landlock.
pub fn leave(access: super::Access<'_>) -> Result<(), Box<dyn Error>> {
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessNet::from_all(RIGHTS))?
        .scope(Scope::from_all(RIGHTS))?;
    let ruleset = match access {
        super::Access::Files => ruleset.create()?,
        super::Access::Pipes => ruleset
            .handle_access(AccessFs::from_all(RIGHTS))?
            .create()?,
        super::Access::Directory {
            directory,
            results,
            program,
        } => {
            let read = AccessFs::from_read(RIGHTS);
            let system = SYSTEM.map(Path::new).into_iter().chain(program);
            ruleset
                .handle_access(AccessFs::from_all(RIGHTS))?
                .create()?
                .add_rules(path_beneath_rules(system, read))?
                .add_rules(path_beneath_rules([directory], IN_DIRECTORY))?
                .add_rules(path_beneath_rules(results, RESULTS))?
        }
    };
    match ruleset.restrict_self()?.ruleset {
        RulesetStatus::NotEnforced => Err("Landlock is not there".into()),
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(()),
    }
}
