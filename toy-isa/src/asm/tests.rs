use proptest::prelude::*;

use super::*;
use crate::image::{Symbol, SymbolKind};

fn program(text: &str) -> Image {
    programs(&[("t.s", text)])
}

fn programs(files: &[(&str, &str)]) -> Image {
    let sources: Vec<_> = files
        .iter()
        .map(|(name, text)| Source::new(*name, *text))
        .collect();
    assemble(&sources, &Options::default()).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn errors(text: &str) -> Vec<Diagnostic> {
    assemble(&[Source::new("t.s", text)], &Options::default()).expect_err("an error")
}

/// The first error as it is shown, without the name of the file.
fn error(text: &str) -> String {
    errors(text)[0].to_string().trim_start_matches("t.s:").to_string()
}

fn words(image: &Image) -> Vec<u32> {
    let bytes = &image.segments[0].bytes;
    bytes
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
        .collect()
}

fn address(image: &Image, name: &str) -> u32 {
    image
        .symbol(name)
        .unwrap_or_else(|| panic!("no symbol {name}"))
        .address
}

#[test]
fn sections_follow_one_another_and_begin_pages_where_permissions_change() {
    let text =
        ".data\nd: .word 1\n.bss\nb: .space 8\n.text\nt: nop\n.section .rodata\nr: .byte 1\n.text\nnop";
    let options = Options {
        origin: 0x1_0000,
        ..Options::default()
    };
    let image = assemble(&[Source::new("t.s", text)], &options).expect("correct");
    let places: Vec<_> = ["t", "r", "d", "b"].map(|name| address(&image, name)).into();
    assert_eq!(places, [0x1_0000, 0x1_1000, 0x1_2000, 0x1_2004]);
    let shape = |s: &crate::image::Segment| (s.address, s.bytes.len(), s.size, s.write, s.execute);
    let shapes: Vec<_> = image.segments.iter().map(shape).collect();
    let expected = [
        (0x1_0000, 8, 8, false, true),
        (0x1_1000, 1, 1, false, false),
        (0x1_2000, 4, 12, true, false),
    ];
    assert_eq!(shapes, expected);
    assert_eq!(image.entry, 0x1_0000);
}

#[test]
fn files_share_symbols_but_not_numeric_labels() {
    let image = programs(&[
        ("a.s", "_a: 1: j 1b\n call f"),
        ("b.s", "1: j 1b\n_start: f: ret"),
    ]);
    assert_eq!(words(&image)[3], 0x0000_006f, "the 1: of its own file");
    assert_eq!(image.entry, 16);
    assert_eq!(image.lines.find(16), Some(("b.s", 2)));
    assert_eq!(image.lines.addresses("a.s", 2).collect::<Vec<_>>(), [4, 8]);
    let message = assemble(
        &[Source::new("a.s", "1: nop"), Source::new("b.s", "j 1b")],
        &Options::default(),
    );
    assert_eq!(
        message.expect_err("no label")[0].problem,
        Problem::UndefinedLabel("1".into())
    );
}

#[test]
fn an_included_source_is_read_where_it_is_included() {
    let image = programs(&[
        ("defs.s", ".equ N, 5\n.word 9"),
        ("a.s", ".include \"defs.s\"\n.word N"),
    ]);
    assert_eq!(words(&image), [9, 5]);
}

#[test]
fn defines_are_symbols() {
    let options = Options {
        defines: vec![("N".into(), 7)],
        ..Options::default()
    };
    let image = assemble(&[Source::new("t.s", ".ifdef N\n.word N\n.endif")], &options).expect("correct");
    assert_eq!(words(&image), [7]);
}

#[test]
fn symbols_carry_what_directives_say_of_them() {
    let image = program(".globl f\n.type f, @function\nf: ret\n.size f, . - f\n.equ K, 3\n.L1: nop\n1: nop");
    let f = Symbol {
        name: "f".into(),
        address: 0,
        size: 4,
        global: true,
        kind: SymbolKind::Function,
    };
    assert_eq!(image.symbol("f"), Some(&f));
    assert_eq!(
        image.symbol("K").map(|symbol| symbol.kind),
        Some(SymbolKind::Absolute)
    );
    assert_eq!(image.symbols.len(), 2, "neither .L1 nor 1 are for debuggers");
    assert_eq!(
        image
            .symbolize(8)
            .map(|(symbol, offset)| (symbol.name.as_str(), offset)),
        Some(("f", 8))
    );
    assert_eq!(image.symbolize(12), None);
}

#[test]
fn every_error_says_what_was_expected_and_what_is_near() {
    let cases = [
        (
            "  adddi a0, a0, 1",
            "1:3: error: unknown instruction 'adddi'; did you mean 'addi'?",
        ),
        (
            "addi a0, aO, 1",
            "1:10: error: expected a register, found 'aO'; did you mean 'a0'?",
        ),
        (
            "mv a0, a7",
            "1:8: error: no register 'a7': Ring32 has 16 registers, x0 to x15 \
             (zero ra sp gp tp t0-t2 s0 s1 a0-a5)",
        ),
        (
            "csrr a0, statsu",
            "1:10: error: unknown control register 'statsu': expected a name, or a number from 0 to 0xfff; \
             did you mean 'status'?",
        ),
        (
            ".wrod 1",
            "1:1: error: unknown directive '.wrod'; did you mean '.word'?",
        ),
        (
            "begin: nop\nj begim",
            "2:3: error: undefined symbol 'begim'; did you mean 'begin'?",
        ),
        (
            "addi a0, a0, 2048",
            "1:14: error: immediate 2048 is out of range: expected -2048 to 2047",
        ),
        (
            "slli a0, a0, 32",
            "1:14: error: shift amount 32 is out of range: expected 0 to 31",
        ),
        (
            ".byte 256",
            "1:7: error: number 256 is out of range: expected -128 to 255",
        ),
        (
            "add a0, a1",
            "1:1: error: wrong operands for 'add': expected 'add rd, rs1, rs2' or 'add rd, rs1, imm'",
        ),
        (
            "lw a0, a1",
            "1:8: error: expected imm(rs1) as in 'lw rd, imm(rs1)', found a register",
        ),
        (
            "add a0 a1, a2",
            "1:8: error: expected ',' or the end of the statement, found 'a1'",
        ),
        (
            "fence wr, w",
            "1:7: error: expected some of the letters i, o, r, w in this order, found 'wr'",
        ),
        (
            "a: nop\na: nop",
            "2:1: error: symbol 'a' is already defined at t.s:1",
        ),
        (".word 1 / 0", "1:9: error: division by zero"),
        (
            ".word (1",
            "1:9: error: expected ')', found the end of the statement",
        ),
        (
            ".equ a, b\n.equ b, a\n.word a",
            "3:7: error: the value of 'a' depends on itself, or on a chain of too many symbols",
        ),
        (
            "li a0, x\nx: nop",
            "1:8: error: the value of 'li' (an address takes 'la') must be a number that is \
             known here: a constant, or the distance of two labels above",
        ),
        (".ascii \"abc", "1:8: error: expected a closing '\"'"),
        (
            ".ascii \"\\q\"",
            "1:8: error: unknown escape '\\q': expected one of n t r b f \\ \" ' x and octal digits",
        ),
        ("nop /* x", "1:5: error: expected a closing '*/'"),
        (
            ".word 09",
            "1:7: error: malformed number '09': expected decimal, 0x, 0b or 0 octal digits, at most 64 bits",
        ),
        ("nop \u{e9}", "1:5: error: unexpected character '\u{e9}'"),
        (".if 1\nnop", "1:1: error: expected '.endif' for this '.if'"),
        (".endm", "1:1: error: '.endm' without its beginning"),
        (
            ".macro m a:req\n.endm\nm",
            "3:1: error: macro 'm' needs a value for 'a'",
        ),
        (
            ".macro m a\n.endm\nm 1, 2",
            "3:1: error: macro 'm' takes 1 argument",
        ),
        (
            ".org 4\n.org 2",
            "2:6: error: '.org' cannot move back from offset 0x4 to 0x2",
        ),
        (
            ".bss\n.word 1",
            "2:7: error: section '.bss' holds only zeros: expected '.space' or '.align'",
        ),
        (
            ".byte 1\nnop",
            "2:1: error: instruction at an address that is not a multiple of 4: \
             expected '.align 2' before it",
        ),
        (
            "addi a0, a0, %pcrel_lo(0x40)",
            "1:14: error: expected the label of an instruction with %pcrel_hi at 0x40",
        ),
        (
            "addi a0, a0, %hi(4)",
            "1:14: error: expected %hi with an upper immediate, %lo with a 12-bit one, found the other",
        ),
        (
            ".include \"no.s\"",
            "1:10: error: no source named 'no.s' was given",
        ),
        (".error \"not so\"", "1:1: error: not so"),
        (
            "beq a0, a1, . + 8192",
            "1:13: error: the target is 8192 bytes away: expected -4096 to 4094; \
             branch around a 'j', or use 'call'",
        ),
        (
            "j . + 3",
            "1:3: error: target 0x3 is odd: expected an even distance",
        ),
        (
            "call a0, a1",
            "1:1: error: wrong operands for 'call': expected 'call symbol' or 'call rd, symbol'",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text), expected, "for {text:?}");
    }
}

#[test]
fn all_errors_are_reported_in_order() {
    let lines: Vec<_> = errors("nop\nfoo\nj nowhere\nbar\n")
        .iter()
        .map(|error| error.line)
        .collect();
    assert_eq!(lines, [2, 3, 4]);
    let many = errors(&"foo\n".repeat(1000));
    assert_eq!(many.len(), 100);
    assert_eq!(many[99].problem, Problem::TooMany);
}

#[test]
fn an_error_is_shown_with_its_line_and_a_caret() {
    let expected = "t.s:2:11: error: expected a register, found 'b0'; did you mean 'a0'?\n   \
                    2 | \tmv  a0,  b0 # ring\n     | \t         ^";
    let text = errors("nop\n\tmv  a0,  b0 # ring")[0].render();
    assert_eq!(text.replace("\n ", "\n   "), expected);
}

#[test]
fn an_error_in_a_macro_is_shown_where_the_macro_is_used() {
    let error = &errors(".macro m r\n addi \\r, \\r, 5000\n.endm\nnop\n m a0")[0];
    assert_eq!((error.line, error.column), (5, 2));
    assert_eq!(error.expansion.as_deref(), Some("addi a0, a0, 5000"));
}

#[test]
fn programs_that_would_expand_without_end_are_refused() {
    let expand = [
        ".rept 1000000000\nnop\n.endr",
        ".rept 1000000000\n.endr",
        ".macro m a\nm \\a\\a\\a\\a\\a\\a\n.endm\nm xxxxxxxx",
    ];
    for text in expand {
        assert!(matches!(errors(text)[0].problem, Problem::TooLong(_)), "{text}");
    }
    let nested = ".if 1\n".repeat(500) + &".endif\n".repeat(500);
    for text in [
        ".macro m\nm\n.endm\nm",
        ".macro m a\nm 1\nm 1\n.endm\nm 1",
        &nested,
    ] {
        assert!(matches!(errors(text)[0].problem, Problem::TooDeep(_)), "{text}");
    }
    for text in [".space 0xffffffff", ".fill 0x7fffffffffffffff, 8"] {
        assert!(matches!(errors(text)[0].problem, Problem::TooLarge(_)), "{text}");
    }
    let deep = format!(".word {}1", "(".repeat(100_000));
    assert!(matches!(errors(&deep)[0].problem, Problem::ExpressionTooLong(_)));
    let circle = [
        Source::new("a", ".include \"b\""),
        Source::new("b", ".include \"a\""),
    ];
    let errors = assemble(&circle, &Options::default()).expect_err("a circle");
    assert!(matches!(errors[0].problem, Problem::TooDeep(_)));
    assert!(matches!(
        self::errors(".include \"t.s\"")[0].problem,
        Problem::TooDeep(_)
    ));
    let high = Options {
        origin: u32::MAX - 3,
        ..Options::default()
    };
    let too_high = assemble(&[Source::new("a", "nop\nnop")], &high).expect_err("no room");
    assert_eq!(too_high[0].problem, Problem::AddressSpace(u32::MAX - 3));
}

#[test]
fn a_chain_of_definitions_takes_no_exponential_time() {
    let chain: String = (0..60)
        .map(|i| format!(".equ a{i}, a{} + a{}\n", i + 1, i + 1))
        .collect();
    assert!(matches!(
        errors(&(chain + ".equ a60, 1\n.word a0"))[0].problem,
        Problem::CircularSymbol(_)
    ));
}

#[test]
fn a_line_is_one_word() {
    assert_eq!(assemble_line("addi a0, a0, 1", 0).ok(), Some(0x0015_0513));
    assert_eq!(assemble_line("j . + 4", 0x100).ok(), Some(0x0040_006f));
    assert_eq!(
        assemble_line("li a0, 0x12345678", 0).map_err(|e| e.problem),
        Err(Problem::NotOneWord)
    );
    assert!(matches!(
        assemble_line("j there", 0).map_err(|e| e.problem),
        Err(Problem::UndefinedSymbol(_))
    ));
}

/// Text that is nearly a program.
fn nearly_a_program() -> impl Strategy<Value = String> {
    let pieces = [
        "addi",
        "lw",
        "li",
        "la",
        "call",
        "beqz",
        "csrrw",
        "fence",
        "a0",
        "sp",
        "x31",
        "status",
        "1",
        "0x800",
        "1b",
        "1f",
        "1:",
        "label",
        "label:",
        ",",
        "(",
        ")",
        "+",
        "-",
        "*",
        "/",
        "%",
        "<<",
        "~",
        "%hi",
        "%pcrel_lo",
        "\"text\"",
        "'",
        "\\",
        "\\a",
        "\\@",
        "#",
        "/*",
        "*/",
        ";",
        "\n",
        "\n",
        " ",
        " ",
        ".",
        "=",
        ".macro m a",
        ".endm",
        "m",
        ".rept 3",
        ".endr",
        ".if",
        ".elseif 1",
        ".else",
        ".endif",
        ".word",
        ".byte",
        ".space",
        ".align",
        ".org",
        ".equ",
        ".set",
        ".section",
        ".text",
        ".bss",
        ".irp r,",
        ".insn r",
        ".insn i",
        ".fill",
        ".comm",
        ".include \"t.s\"",
        ".size",
        ".type",
        "\u{e9}",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..60).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = assemble(&[Source::new("t.s", text.clone())], &Options::default());
        let _ = assemble_line(&text, 0);
    }

    #[test]
    fn nothing_near_a_program_panics(text in nearly_a_program()) {
        if let Err(errors) = assemble(&[Source::new("t.s", text.clone())], &Options::default()) {
            errors.iter().for_each(|error| drop(error.render()));
        }
        let _ = assemble_line(&text, 0);
    }
}
