//! View 6.

use crate::common::{app, compare, press};

#[test]
fn at_the_beginning() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "6");
    compare(&mut app, "address", false);
}
