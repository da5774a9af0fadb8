//! In the place of KVM, on hosts that cannot have it.

use super::{Exits, KvmError};

/// It is not there.
///
/// # Errors
/// Always.
pub fn available() -> Result<(), KvmError> {
    Err(KvmError::Elsewhere)
}

/// There is nothing to measure.
///
/// # Errors
/// Always.
pub fn measure(_turns: u32, _rounds: u32) -> Result<Exits, KvmError> {
    Err(KvmError::Elsewhere)
}
