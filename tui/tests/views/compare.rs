//! View 3.

use crate::common::{app, compare, press};

#[test]
fn at_the_beginning() {
    let mut app = app("guest-os", "trap");
    press(&mut app, "3");
    compare(&mut app, "compare", false);
}
