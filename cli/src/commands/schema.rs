//! `trapeze schema`: the JSON schema of scenario files, for editors.

use crate::failure::Failure;
use crate::output::Output;

/// Runs the command. The schema is one JSON object in any case.
pub(crate) fn run(output: &Output) -> Result<(), Failure> {
    output.object(&scenarios::json_schema())
}
