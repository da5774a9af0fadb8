//! The rings of console and disk.

use super::*;

impl Bench {
    fn notify(&mut self, channel: u32) -> i32 {
        self.call(Hypercall::EventChannelOp, event::SEND, channel).0
    }

    /// Writes a request into the disk ring, without telling anybody.
    fn request(&mut self, index: u32, operation: u32, sector: u32, address: u32) {
        let at = DISK_PAGE * PAGE + disk::ENTRIES + index % disk::COUNT * disk::ENTRY;
        for (offset, value) in [
            (disk::ID, 1000 + index),
            (disk::OPERATION, operation),
            (disk::SECTOR, sector),
            (disk::ADDRESS, address),
        ] {
            self.poke(at + offset, value);
        }
        self.poke(DISK_PAGE * PAGE + disk::REQUESTS, index + 1);
    }

    fn disk_word(&self, offset: u32) -> u32 {
        self.peek(DISK_PAGE * PAGE + offset)
    }

    /// The guest's word and the outcome in a response.
    fn response(&self, index: u32) -> (u32, u32) {
        let at = disk::ENTRIES + index % disk::COUNT * disk::ENTRY;
        (
            self.disk_word(at + disk::ID),
            self.disk_word(at + disk::OPERATION),
        )
    }
}

#[test]
fn a_ring_is_connected_once_to_a_frame_of_the_guests_that_may_be_written() {
    let mut bench = Bench::new();
    let own = bench.frame(CONSOLE_PAGE) * PAGE;
    let connect =
        |bench: &mut Bench, channel, address| bench.call(Hypercall::ConnectRing, channel, address).0;
    assert_eq!(connect(&mut bench, channel::TIMER, own), Errno::Invalid.code());
    assert_eq!(connect(&mut bench, 77, own), Errno::Invalid.code());
    assert_eq!(connect(&mut bench, channel::DISK, own + 4), Errno::Invalid.code());
    let monitor = bench.para.allocator.monitor();
    assert_eq!(
        connect(&mut bench, channel::DISK, monitor),
        Errno::Permission.code()
    );
    let shared = bench.para.shared.frame() * PAGE;
    assert_eq!(
        connect(&mut bench, channel::DISK, shared),
        Errno::Permission.code()
    );
    let table = bench.frame(bench.boot_table()) * PAGE;
    assert_eq!(connect(&mut bench, channel::DISK, table), Errno::Busy.code());
    assert_eq!(bench.notify(channel::DISK), Errno::Invalid.code());
    assert_eq!(connect(&mut bench, channel::DISK, own), 0);
    assert_eq!(connect(&mut bench, channel::DISK, own), Errno::Busy.code());
    // It cannot become a table any more.
    assert_eq!(bench.remap(CONSOLE_PAGE, pte::V | pte::R).0, 0);
    assert_eq!(
        bench.update(&[(own | update::COMMAND, update::PIN_ROOT)]).0,
        Errno::Busy.code()
    );
    bench.audit();
}

#[test]
fn output_passes_through_the_ring_around_its_end_and_input_comes_back() {
    let mut bench = Bench::with_rings();
    let base = CONSOLE_PAGE * PAGE;
    let typed: Vec<u32> = (0..2)
        .map(|word| bench.peek(base + console::IN + 4 * word))
        .collect();
    assert_eq!(typed, [u32::from_le_bytes(*b"type"), u32::from(b'd')]);
    assert_eq!(bench.peek(base + console::IN_PRODUCED), 5);
    assert!(bench.pending(channel::CONSOLE));
    let mut expected = Vec::new();
    for round in 0..3u32 {
        // 1500 bytes each time: the second round wraps.
        for at in 0..1500 / 4 {
            let word = u32::from_le_bytes([b'a' + round as u8, b'b', b'c', b'\n']);
            let index = (1500 * round + 4 * at) % console::OUT_SIZE;
            bench.poke(base + console::OUT + index, word);
            expected.extend(word.to_le_bytes());
        }
        bench.poke(base + console::OUT_PRODUCED, 1500 * (round + 1));
        assert_eq!(bench.notify(channel::CONSOLE), 0);
        assert_eq!(bench.peek(base + console::OUT_CONSUMED), 1500 * (round + 1));
    }
    assert_eq!(bench.para.guest.devices.console.output(), expected);
    assert_eq!(bench.counts.ring_bytes, 4500 + 5);
}

#[test]
fn what_was_said_last_is_heard_at_the_end_without_a_notification() {
    let mut bench = Bench::with_rings();
    bench.poke(CONSOLE_PAGE * PAGE + console::OUT, u32::from_le_bytes(*b"bye."));
    bench.poke(CONSOLE_PAGE * PAGE + console::OUT_PRODUCED, 4);
    bench.call(Hypercall::SchedOp, sched::SHUTDOWN, 3);
    assert_eq!(bench.para.guest.devices.console.output(), b"bye.");
}

#[test]
fn indices_that_cannot_be_are_refused_and_nothing_is_taken() {
    let mut bench = Bench::with_rings();
    for produced in [console::OUT_SIZE + 1, u32::MAX, 1 << 31] {
        bench.poke(CONSOLE_PAGE * PAGE + console::OUT_PRODUCED, produced);
        assert_eq!(bench.notify(channel::CONSOLE), Errno::Invalid.code());
    }
    bench.poke(CONSOLE_PAGE * PAGE + console::OUT_PRODUCED, 0);
    bench.poke(CONSOLE_PAGE * PAGE + console::IN_CONSUMED, 6);
    assert_eq!(
        bench.notify(channel::CONSOLE),
        Errno::Invalid.code(),
        "more read than there was"
    );
    for requests in [disk::COUNT + 1, u32::MAX, 1 << 31] {
        bench.poke(DISK_PAGE * PAGE + disk::REQUESTS, requests);
        assert_eq!(bench.notify(channel::DISK), Errno::Invalid.code());
    }
    assert_eq!(
        (bench.counts.ring_requests, bench.disk_word(disk::RESPONSES)),
        (0, 0)
    );
}

#[test]
fn three_requests_need_one_notification_and_one_event() {
    let mut bench = Bench::with_rings();
    let data = bench.frame(DATA_PAGE) * PAGE;
    assert_eq!(
        bench.disk_word(disk::REQUEST_EVENT),
        1,
        "the first request is to be told"
    );
    bench.poke(DISK_PAGE * PAGE + disk::RESPONSE_EVENT, 3);
    for index in 0..3 {
        bench.request(index, 1, index, data + 512 * index);
    }
    assert_eq!(bench.notify(channel::DISK), 0);
    assert_eq!(
        bench.disk_word(disk::REQUEST_EVENT),
        1,
        "it is at work and looks by itself"
    );
    for done in 1..=3 {
        assert!(!bench.pending(channel::DISK));
        bench.wait(500);
        assert_eq!(bench.disk_word(disk::RESPONSES), done);
    }
    assert!(bench.pending(channel::DISK));
    assert_eq!(bench.disk_word(disk::REQUEST_EVENT), 4, "idle again");
    assert_eq!((bench.counts.notifications, bench.counts.ring_requests), (1, 3));
    for index in 0..3 {
        assert_eq!(bench.response(index), (1000 + index, disk::OKAY));
        let found = bench.peek(DATA_PAGE * PAGE + 512 * index).to_le_bytes();
        assert_eq!(found[0], (index + 512 * index) as u8);
    }
    bench.audit();
}

#[test]
fn requests_go_around_the_ring() {
    let mut bench = Bench::with_rings();
    let data = bench.frame(DATA_PAGE) * PAGE;
    for index in 0..2 * disk::COUNT + 5 {
        bench.request(index, 1 + index % 2, index % 4, data);
        assert_eq!(bench.notify(channel::DISK), 0);
        bench.wait(500);
        assert_eq!(bench.response(index), (1000 + index, disk::OKAY));
    }
    bench.audit();
}

#[test]
fn the_disk_reaches_only_frames_that_it_may() {
    let mut bench = Bench::with_rings();
    let data = bench.frame(DATA_PAGE) * PAGE;
    let table = bench.frame(bench.boot_table()) * PAGE;
    let monitor = bench.para.allocator.monitor();
    let shared = bench.para.shared.frame() * PAGE;
    let bad = [
        (1, 0, table),             // into a page table
        (1, 0, monitor),           // into the monitor
        (2, 0, monitor),           // out of the monitor
        (1, 0, shared),            // into the shared page
        (1, 0, data + PAGE - 511), // into the frame after it, whosesoever it is
        (1, 0, u32::MAX),
        (1, 4, data), // beyond the disk
        (1, u32::MAX, data),
        (0, 0, data),
        (3, 0, data),
    ];
    for (index, (operation, sector, address)) in (0..).zip(bad) {
        bench.request(index, operation, sector, address);
        assert_eq!(bench.notify(channel::DISK), 0);
        bench.wait(500);
        assert_eq!(
            bench.response(index),
            (1000 + index, disk::ERROR),
            "{operation} {sector:#x} {address:#x}"
        );
        bench.audit();
    }
}

#[test]
fn a_buffer_stays_writable_while_the_disk_writes_to_it() {
    let mut bench = Bench::with_rings();
    let data = bench.frame(DATA_PAGE) * PAGE;
    bench.request(0, 1, 0, data);
    assert_eq!(bench.notify(channel::DISK), 0);
    bench.audit();
    assert_eq!(bench.remap(DATA_PAGE, pte::V | pte::R).0, 0);
    let pin = [(data | update::COMMAND, update::PIN_ROOT)];
    assert_eq!(bench.update(&pin).0, Errno::Busy.code());
    bench.wait(500);
    // The sector's bytes are no page table; an empty page is one.
    (0..PAGE / 4).for_each(|word| bench.poke(DATA_PAGE * PAGE + 4 * word, 0));
    assert_eq!(bench.update(&pin).0, 0);
    bench.audit();
}
