use toy_isa::asm::{Options as AsmOptions, Source, assemble};

use super::*;

fn program(text: &str, origin: u32) -> Image {
    assemble(
        &[Source::new("test.s", text)],
        &AsmOptions {
            origin,
            ..AsmOptions::default()
        },
    )
    .unwrap_or_else(|errors| panic!("{}", errors[0]))
}

/// With and without page tables, which no program sees.
fn execute(image: &Image) -> (Outcome, String) {
    let outcome = execute_with(image, false);
    assert_eq!(execute_with(image, true), outcome, "with paging");
    outcome
}

fn execute_with(image: &Image, paging: bool) -> (Outcome, String) {
    let options = Options {
        paging,
        engine: EngineName::Auto,
        budget: 100_000,
        memory: 1 << 20,
        arguments: vec!["program".into(), "argument".into()],
    };
    let mut text = Vec::new();
    let outcome = run(image, &options, &mut |bytes| text.extend_from_slice(bytes)).expect("it fits");
    (outcome, String::from_utf8_lossy(&text).into_owned())
}

const HELLO: &str = "
_start: li t0, 64
        li a0, 1
        la a1, text
        li a2, 6
        ecall
        li t0, 93
        ecall                   # exits with the count that write returned
text:   .ascii \"hello\\n\"
";

#[test]
fn a_program_writes_and_exits_wherever_it_is_linked() {
    for origin in [0, 0x1_0000, 0x8000_0000, 0xffff_0000] {
        let (outcome, text) = execute(&program(HELLO, origin));
        assert_eq!(
            (outcome.ending, text.as_str()),
            (Ending::Exited(6), "hello\n"),
            "linked at {origin:#x}"
        );
        assert_eq!(outcome.retired, 8);
    }
}

#[test]
fn arguments_lie_on_the_stack_as_on_linux() {
    let (outcome, text) = execute(&program(
        "_start: lw a3, 0(sp)
                 lw a1, 8(sp)       # argv[1]
                 li t0, 64
                 li a0, 1
                 li a2, 8
                 ecall
                 mv a0, a3
                 li t0, 93
                 ecall",
        0x1_0000,
    ));
    assert_eq!((outcome.ending, text.as_str()), (Ending::Exited(2), "argument"));
}

#[test]
fn bad_calls_are_refused_and_bad_programs_killed() {
    let call = |setup: &str| {
        let text = format!("_start: {setup}\n ecall\n neg a0, a0\n li t0, 93\n ecall");
        execute(&program(&text, 0x1_0000)).0.ending
    };
    assert_eq!(call("li t0, 64; li a0, 7"), Ending::Exited(9), "no such file");
    assert_eq!(
        call("li t0, 64; li a0, 1; li a1, 0xfffffff0; li a2, 64"),
        Ending::Exited(14),
        "no such memory"
    );
    assert_eq!(call("li t0, 1000"), Ending::Exited(38), "no such call");
    let killed = execute(&program("_start: nop; csrr a0, status", 0x1_0000))
        .0
        .ending;
    assert!(matches!(killed, Ending::Killed { trap, pc: 0x1_0004 } if trap.cause == Cause::Illegal));
    assert_eq!(
        execute(&program("_start: j _start", 0x1_0000)).0.ending,
        Ending::Budget
    );
}

#[test]
fn a_program_larger_than_memory_is_refused() {
    let image = program("_start: nop\n .bss\n .space 0x200000", 0x1_0000);
    let options = Options {
        paging: false,
        engine: EngineName::Auto,
        budget: 1,
        memory: 1 << 20,
        arguments: Vec::new(),
    };
    assert!(matches!(
        run(&image, &options, &mut |_| {}),
        Err(StartError::Load(LoadError::TooLarge { .. }))
    ));
}
