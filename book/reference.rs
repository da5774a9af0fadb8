//! The reference of instructions and control registers, from the one table.

use toy_isa::profile::{Behaviour, Profile, ProfileName};
use toy_isa::row::Row;
use toy_isa::table::{CSRS, Cost, Form, OPS, OpRow, Sensitive, State};

/// What stands above the tables.
const HEAD: &str = "\
# The reference

This page is generated from `toy-isa/src/table.rs`, the one table of which Ring32 is made. [The machine](machine.md)
explains the words; `trapeze isa --row NAME` shows one row in a terminal.

An encoding `bits/mask` reads: a word is this instruction if `word & mask` is `bits`. The other bits hold operands, in
the places that [the forms](#operand-forms) give. *State* is what the instruction reads (r) and writes (w) beside its
operands, memory that it is fetched from, and going on to the next instruction. *Price* is the class under which a
price list counts it.

An instruction is *innocuous* if it is not sensitive, and then it does the same in every ring. What the sensitive rows
do outside ring 0 is the profile's choice: see [Outside ring 0](#outside-ring-0).
";

/// Popek and Goldberg's words, before the rows that they are about.
const OUTSIDE: &str = "\
A row is *sensitive* by *control* if it changes the ring, the relocation-bounds register or other control state; by
*location* if what it does depends on where in real memory the program stands; by *mode* if it depends on the ring.
These are the three of Popek and Goldberg (1974). *Extended* is ours: the row reads or sets the clock, an interrupt, a
device, a word of the kernel's own, or what machine this is. `csrr X` is every access that only reads control
register X, `csrw X` every other one.

Outside ring 0 a row *traps*; or *leaks*, which gives the real value; or is *ignored*; or is *partial*, which writes
some bits and drops the others in silence. What does not trap is a hole, in **bold**. (`in` and `out` ask
`status.IOPL` first: in rings 0..IOPL they execute. On `classic` that is ring 0 alone.)
";

/// What the holes are, and how their last column comes about.
const HOLES: &str = "\
These rows are sensitive and do not trap: theorem 1 fails. Each has a cousin on x86, where Robin and Irvine (2000) found
seventeen such instructions.

A hole is *supervisor-sensitive* if it deceives a guest's kernel, which runs outside ring 0 and believes to be in it.
All are: on a bare machine, in ring 0, they do something else. A hole is *user-sensitive* if it deceives a program in
ring 3 as well. Those that leak are, because the real value is the monitor's and not the guest's; so is one that is
partial, for a swap gives the old value as well. A row that is ignored is not: on a bare machine, too, that is what it
does in ring 3. `trapeze isa --classify` computes the same from behaviour alone. Theorem 3 asks for the user-sensitive
rows alone, so it is the last column that decides whether a hybrid monitor, which interprets the
guest's kernel, would do.
";

const HYBRID: &str = "\
It stands for `JRST 1` of the PDP-10, with which Popek and Goldberg show what theorem 3 is for: theorem 1 fails,
theorem 3 holds.
";

/// The page.
pub fn page() -> String {
    let mut page = HEAD.to_string();
    page += "\n## Operand forms\n\n";
    page += &forms();
    let mut titles: Vec<_> = OPS.iter().map(title).collect();
    titles.dedup();
    for title in titles {
        page += &format!("\n## {title}\n\n");
        page += &instructions(title);
    }
    page += "\n## Control registers\n\n";
    page += &registers();
    page += &format!("\n## Outside ring 0\n\n{OUTSIDE}\n");
    page += &outside();
    page += &format!("\n## The holes of `leaky`\n\n{HOLES}\n");
    page += &holes(ProfileName::Leaky);
    page += "\n`assist` has the same holes, and root operation as their cure.\n";
    page += &format!("\n## The hole of `hybrid`\n\n{HYBRID}\n");
    page + &holes(ProfileName::Hybrid)
}

/// The part of the page that an instruction is in.
fn title(row: &OpRow) -> &'static str {
    match row.cost {
        _ if row.outside.classic != Behaviour::Innocuous => "Privileged and sensitive instructions",
        Cost::Alu => "Arithmetic and logic",
        Cost::Mul | Cost::Div => "Multiplication and division",
        Cost::Jump | Cost::Branch => "Jumps and branches",
        Cost::Load | Cost::Store | Cost::Fence => "Loads, stores and fences",
        Cost::Csr => "Access to control registers",
        Cost::System | Cost::Io => "Other instructions",
    }
}

/// The operands of a form as the assembler writes them, and where they stand in the word: bits 31..25, 24..20, 19..15,
/// 14..12 and 11..7. What is not an operand's is fixed, or reserved.
fn operands(form: Form) -> (&'static str, [&'static str; 5]) {
    match form {
        Form::R => ("rd, rs1, rs2", ["", "rs2", "rs1", "", "rd"]),
        Form::I => ("rd, rs1, imm", ["imm[11:5]", "imm[4:0]", "rs1", "", "rd"]),
        Form::Shift => ("rd, rs1, shamt", ["", "shamt", "rs1", "", "rd"]),
        Form::Load => ("rd, imm(rs1)", ["imm[11:5]", "imm[4:0]", "rs1", "", "rd"]),
        Form::Store => ("rs2, imm(rs1)", ["imm[11:5]", "rs2", "rs1", "", "imm[4:0]"]),
        Form::Branch => (
            "rs1, rs2, target",
            ["target[12, 10:5]", "rs2", "rs1", "", "target[4:1, 11]"],
        ),
        Form::U => (
            "rd, imm",
            ["imm[19:13]", "imm[12:8]", "imm[7:3]", "imm[2:0]", "rd"],
        ),
        Form::J => (
            "rd, target",
            [
                "target[20, 10:5]",
                "target[4:1, 11]",
                "target[19:15]",
                "target[14:12]",
                "rd",
            ],
        ),
        Form::Fence => ("pred, succ", ["pred[3:1]", "pred[0], succ", "", "", ""]),
        Form::FenceI | Form::None => ("", [""; 5]),
        Form::Csr => ("rd, csr, rs1", ["csr[11:5]", "csr[4:0]", "rs1", "", "rd"]),
        Form::CsrImm => ("rd, csr, imm", ["csr[11:5]", "csr[4:0]", "imm", "", "rd"]),
        Form::Rs1 => ("rs1", ["", "", "rs1", "", ""]),
        Form::Rs1Rs2 => ("rs1, rs2", ["", "rs2", "rs1", "", ""]),
        Form::RdRs1 => ("rd, rs1", ["", "", "rs1", "", "rd"]),
    }
}

fn forms() -> String {
    let mut text = table([
        "operands", "31..25", "24..20", "19..15", "14..12", "11..7", "such as",
    ]);
    let mut seen = Vec::new();
    for row in OPS {
        let (written, fields) = operands(row.form);
        if seen.contains(&row.form) || written.is_empty() {
            continue;
        }
        seen.push(row.form);
        let [a, b, c, d, e] = fields.map(|field| if field.is_empty() { "·" } else { field });
        text += &cells([&code(written), a, b, c, d, e, &code(row.mnemonic)]);
    }
    text
}

fn instructions(of: &str) -> String {
    let mut text = table(["instruction", "bits/mask", "what it does", "state", "price"]);
    for row in OPS.iter().filter(|row| title(row) == of) {
        let written = format!("{} {}", row.mnemonic, operands(row.form).0);
        let encoding = format!("{:08x}/{:08x}", row.bits, row.mask);
        let states = states(row);
        let cost = row.cost.name();
        text += &cells([
            &code(written.trim_end()),
            &code(&encoding),
            &plain(row.doc()),
            &states,
            cost,
        ]);
    }
    text
}

/// What an instruction reads and writes beside its operands.
fn states(row: &OpRow) -> String {
    let list = |mark: &str, states: &[State]| {
        let names: Vec<_> = states.iter().map(|one| state(*one)).collect();
        (!names.is_empty()).then(|| format!("{mark} {}", names.join(", ")))
    };
    let lists = [list("r", row.reads), list("w", row.writes)];
    lists.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn state(state: State) -> &'static str {
    match state {
        State::Pc => "pc",
        State::Memory => "memory",
        State::Ring => "ring",
        State::Status => "status",
        State::TrapRegisters => "trap registers",
        State::Relocation => "relocation",
        State::PageTable => "page table",
        State::Clock => "clock",
        State::Interrupts => "interrupts",
        State::Identity => "identity",
        State::Ports => "ports",
        State::Root => "root operation",
    }
}

fn registers() -> String {
    let mut text = table(["number", "register", "what it holds", "state", "can be written"]);
    for row in CSRS {
        let write = if row.write.is_some() { "yes" } else { "no" };
        let number = format!("{:#05x}", row.number);
        text += &cells([
            &code(&number),
            &code(row.name),
            &plain(row.doc()),
            state(row.state),
            write,
        ]);
    }
    text
}

/// The rows that do not do the same in every ring, on every profile.
fn outside() -> String {
    let mut text = table([
        "row",
        "sensitive by",
        "classic",
        "leaky",
        "hybrid",
        "assist",
        "x86 cousin",
    ]);
    let profiles = ProfileName::ALL.map(Profile::new);
    for row in Row::all().filter(|row| row.outside().classic != Behaviour::Innocuous) {
        let reasons: Vec<_> = row
            .sensitive()
            .iter()
            .map(|reason| sensitivity(*reason))
            .collect();
        let [classic, leaky, hybrid, assist] = profiles.each_ref().map(|profile| {
            let name = profile.behaviour(row).name();
            let hole = profile.holes().any(|hole| hole == row);
            if hole {
                format!("**{name}**")
            } else {
                name.to_string()
            }
        });
        let name = code(&row.to_string());
        text += &cells([
            &name,
            &reasons.join(", "),
            &classic,
            &leaky,
            &hybrid,
            &assist,
            &cousin(row),
        ]);
    }
    text
}

fn sensitivity(reason: Sensitive) -> &'static str {
    match reason {
        Sensitive::Control => "control",
        Sensitive::Location => "location",
        Sensitive::Mode => "mode",
        Sensitive::Extended => "extended",
    }
}

/// The x86 cousin of a row, if it has one.
fn cousin(row: Row) -> String {
    row.cousin().map_or(String::new(), code)
}

fn holes(name: ProfileName) -> String {
    let mut text = table([
        "hole",
        "outside ring 0",
        "x86 cousin",
        "supervisor-sensitive",
        "user-sensitive",
    ]);
    let profile = Profile::new(name);
    for row in profile.holes() {
        let behaviour = profile.behaviour(row);
        let user = if deceives_programs(behaviour) { "yes" } else { "no" };
        text += &cells([
            &code(&row.to_string()),
            behaviour.name(),
            &cousin(row),
            "yes",
            user,
        ]);
    }
    text
}

/// Whether a row that does this outside ring 0 does something else in ring 3 of a guest than in ring 3 of a bare
/// machine: whether it shows, or changes, what the monitor has put in the place of the guest's own.
fn deceives_programs(behaviour: Behaviour) -> bool {
    match behaviour {
        // A partial write gives the old value as well, and that is the real one.
        Behaviour::Leaks | Behaviour::TakesEffect | Behaviour::Partial => true,
        Behaviour::Innocuous | Behaviour::Traps | Behaviour::Ignored => false,
    }
}

/// The head of a table.
fn table<const N: usize>(columns: [&str; N]) -> String {
    cells(columns) + &cells(["---"; N])
}

/// A row of a table.
fn cells<const N: usize>(cells: [&str; N]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// Text that Markdown takes for text.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        if "|*<_`\\".contains(c) {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use toy_isa::instruction::Instruction;

    #[test]
    fn every_row_is_on_the_page() {
        let page = page();
        for row in OPS {
            assert!(
                page.contains(&format!("`{:08x}/{:08x}`", row.bits, row.mask)),
                "{}",
                row.mnemonic
            );
        }
        for row in Row::all().filter(|row| !row.sensitive().is_empty()) {
            assert!(page.contains(&format!("| `{row}` | ")), "{row}");
        }
        assert!(page.contains("| `csrw status` | partial | `POPF` | yes | yes |"));
        assert!(page.contains("rd = rs1 \\| imm"));
    }

    /// The fields of a word that an operand stands in, as the encoder has it.
    fn fields(row: &OpRow, insn: Instruction) -> Vec<bool> {
        let bits = insn.encode() ^ row.bits;
        [(25, 7), (20, 5), (15, 5), (12, 3), (7, 5)]
            .map(|(low, size)| bits >> low & ((1 << size) - 1) != 0)
            .into()
    }

    #[test]
    fn operands_stand_where_the_encoder_puts_them() {
        for row in OPS
            .iter()
            .filter(|row| !matches!(row.form, Form::Fence | Form::FenceI))
        {
            let blank = Instruction {
                op: row.op,
                rd: 0,
                rs1: 0,
                rs2: 0,
                imm: 0,
            };
            let shown = operands(row.form).1;
            let named = |names: &[&str]| -> Vec<bool> {
                shown
                    .iter()
                    .map(|field| names.iter().any(|name| field.starts_with(name)))
                    .collect()
            };
            let (first, other): (&[&str], &[&str]) = match row.form {
                Form::CsrImm => (&["imm"], &["csr"]),
                _ => (&["rs1"], &["imm", "shamt", "target", "csr"]),
            };
            assert_eq!(
                fields(row, Instruction { rd: 31, ..blank }),
                named(&["rd"]),
                "{}",
                row.mnemonic
            );
            assert_eq!(
                fields(row, Instruction { rs1: 31, ..blank }),
                named(first),
                "{}",
                row.mnemonic
            );
            assert_eq!(
                fields(row, Instruction { rs2: 31, ..blank }),
                named(&["rs2"]),
                "{}",
                row.mnemonic
            );
            assert_eq!(
                fields(row, Instruction { imm: -1, ..blank }),
                named(other),
                "{}",
                row.mnemonic
            );
        }
    }
}
