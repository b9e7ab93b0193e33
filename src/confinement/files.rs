//! Landlock: no file, no directory, no TCP port.

use std::error::Error;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus,
};

/// The newest set of rights that is known here; an older kernel denies those that it knows.
const RIGHTS: ABI = ABI::V5;

/// Denies every file that is not open. Fails on a kernel without Landlock.
pub fn deny_all() -> Result<(), Box<dyn Error>> {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(RIGHTS))?
        .handle_access(AccessNet::from_all(RIGHTS))?
        .create()?
        .restrict_self()?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("Landlock is not there".into()),
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(()),
    }
}
