//! Page tables, through hypercalls.

use super::*;

#[test]
fn commands_that_do_not_exist_are_refused() {
    let mut bench = Bench::new();
    let own = bench.frame(SPARE) * PAGE;
    for (place, value) in [
        (own | 1, 0),
        (own | 2, 0),
        (own | update::COMMAND, 0),
        (own | update::COMMAND, 2),
        (own | update::COMMAND, u32::MAX),
    ] {
        assert_eq!(bench.update(&[(place, value)]), (Errno::Invalid.code(), 0));
    }
}

#[test]
fn a_guest_builds_a_space_of_its_own_and_moves_there() {
    let mut bench = Bench::new();
    let (root, table) = (SPARE, SPARE + 1);
    let table_entry =
        |bench: &Bench, page: u32, rights| pte::entry(bench.frame(page) * PAGE, rights | pte::V);
    for page in 0..MEMORY / PAGE {
        let rights = if page == root || page == table {
            pte::R
        } else {
            pte::R | pte::W
        };
        let entry = table_entry(&bench, page, rights);
        bench.poke(table * PAGE + 4 * page, entry);
    }
    let pointer = table_entry(&bench, table, 0);
    bench.poke(root * PAGE, pointer);
    let place = bench.command_about(root);
    // While the first tables let the guest write it, it is no table; they are left when it takes their place.
    assert_eq!(bench.update(&[(place, update::PIN_ROOT)]).0, Errno::Busy.code());
    bench.audit();
    let batch = [(place, update::NEW_BASE), (place, update::PIN_ROOT)];
    assert_eq!(bench.update(&batch), (0, 2));
    bench.audit();
    assert_eq!(bench.para.pages.kind(bench.frame(root)), Some(Kind::Root));
    // What it cannot write now, it cannot write by another way either.
    let entry = bench.frame(table) * PAGE + 4 * table;
    let writable = table_entry(&bench, table, pte::R | pte::W);
    assert_eq!(bench.update(&[(entry, writable)]).0, Errno::Busy.code());
    // To unpin the table in use leaves it in use.
    assert_eq!(bench.update(&[(place, update::UNPIN)]), (0, 1));
    assert_eq!(bench.para.pages.kind(bench.frame(root)), Some(Kind::Root));
    bench.audit();
}

#[test]
fn a_guest_that_cannot_move_stays_where_it_is() {
    let mut bench = Bench::new();
    let before = bench.para.allocator.load(&bench.machine.board).csr.ptbr;
    bench.poke(SPARE * PAGE, pte::entry(bench.para.allocator.monitor(), pte::V));
    for frame in [
        bench.frame(SPARE),
        bench.frame(bench.boot_table()),
        bench.para.shared.frame(),
        0xf_ffff,
    ] {
        let (error, done) = bench.update(&[(frame * PAGE + update::COMMAND, update::NEW_BASE)]);
        assert!(error < 0 && done == 0, "{frame:#x}");
        assert_eq!(bench.para.allocator.load(&bench.machine.board).csr.ptbr, before);
        bench.audit();
    }
}
