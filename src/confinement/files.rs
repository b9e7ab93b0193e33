//! Landlock: which files are left, and no TCP.

use std::error::Error;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, path_beneath_rules,
};

/// The newest set of rights that is known here; an older kernel denies those that it knows.
const RIGHTS: ABI = ABI::V5;

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

/// Leaves a directory and the system's programs, or no file at all but those that are open. Fails on a
/// kernel without Landlock.
pub fn leave(directory: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(RIGHTS))?
        .handle_access(AccessNet::from_all(RIGHTS))?
        .create()?;
    if let Some(directory) = directory {
        let read = path_beneath_rules(SYSTEM, AccessFs::from_read(RIGHTS));
        let write = path_beneath_rules([directory], AccessFs::from_all(RIGHTS));
        ruleset = ruleset.add_rules(read)?.add_rules(write)?;
    }
    match ruleset.restrict_self()?.ruleset {
        RulesetStatus::NotEnforced => Err("Landlock is not there".into()),
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(()),
    }
}
