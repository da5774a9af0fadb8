//! The one table: every instruction and every control register of Ring32, one row each.
//!
//! Decoder, encoder, assembler, disassembler, the book's reference and the declared classification are
//! ordinary functions over [`OPS`] and [`CSRS`]. Two encodings that overlap, or two control registers with
//! one number, do not compile.
//!
//! Unprivileged encodings are those of the RISC-V Unprivileged Specification 20191213, chapters 2 (RV32I), 4
//! (RV32E) and 7 (M); `mret`, `wfi` and `sfence.vma` have the encodings of the Privileged Specification 1.12.
//! What has no standard encoding uses the major opcode custom-0 (0x0B).

use crate::profile::{Behaviour, Behaviour::*};

/// The operands of an instruction: where they stand in the word and how they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// `op rd, rs1, rs2`
    R,
    /// `op rd, rs1, imm`, a 12-bit signed immediate
    I,
    /// `op rd, rs1, shamt`, a 5-bit shift amount
    Shift,
    /// `op rd, imm(rs1)`
    Load,
    /// `op rs2, imm(rs1)`
    Store,
    /// `op rs1, rs2, target`, 13-bit signed and even
    Branch,
    /// `op rd, imm`, the upper 20 bits
    U,
    /// `op rd, target`, 21-bit signed and even
    J,
    /// `op pred, succ`; the other fields are reserved and ignored
    Fence,
    /// `op`; every field but opcode and funct3 is reserved and ignored
    FenceI,
    /// `op rd, csr, rs1`
    Csr,
    /// `op rd, csr, imm`, a 5-bit unsigned immediate
    CsrImm,
    /// `op`
    None,
    /// `op rs1`
    Rs1,
    /// `op rs1, rs2`
    Rs1Rs2,
    /// `op rd, rs1`
    RdRs1,
}

/// What an instruction costs, as a price list names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Cost {
    /// Arithmetic and logic, one result from registers.
    Alu,
    /// Multiplication.
    Mul,
    /// Division and remainder.
    Div,
    /// Load from memory.
    Load,
    /// Store to memory.
    Store,
    /// Conditional branch.
    Branch,
    /// Jump, call and return.
    Jump,
    /// Ordering of memory accesses.
    Fence,
    /// Control-register access.
    Csr,
    /// Change of control: system call, return from trap, halt, translation fence, probe.
    System,
    /// Port input and output.
    Io,
}

impl Cost {
    /// All classes, in the order of their discriminants.
    pub const ALL: [Cost; 11] = [
        Cost::Alu,
        Cost::Mul,
        Cost::Div,
        Cost::Load,
        Cost::Store,
        Cost::Branch,
        Cost::Jump,
        Cost::Fence,
        Cost::Csr,
        Cost::System,
        Cost::Io,
    ];

    /// The name a price list uses.
    pub fn name(self) -> &'static str {
        match self {
            Cost::Alu => "alu",
            Cost::Mul => "mul",
            Cost::Div => "div",
            Cost::Load => "load",
            Cost::Store => "store",
            Cost::Branch => "branch",
            Cost::Jump => "jump",
            Cost::Fence => "fence",
            Cost::Csr => "csr",
            Cost::System => "system",
            Cost::Io => "io",
        }
    }
}

/// State outside the operands that an instruction reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The program counter, beyond going on to the next instruction.
    Pc,
    /// Memory, through relocation and translation.
    Memory,
    /// The current ring.
    Ring,
    /// Interrupt enable, previous ring, relocation enable, I/O privilege level.
    Status,
    /// What a trap leaves: `epc`, `cause`, `tval`; and `tvec`, `scratch`.
    TrapRegisters,
    /// The relocation-bounds register R: `base`, `bound`, `xbound`, `window`.
    Relocation,
    /// The page-table root, and the tables themselves.
    PageTable,
    /// The clock.
    Clock,
    /// The timer and the interrupt lines.
    Interrupts,
    /// What machine this is.
    Identity,
    /// Device ports.
    Ports,
    /// The control structure of root operation.
    Root,
}

/// Why a row is declared sensitive, in the words of Popek and Goldberg (1974), section 3. The classifier
/// computes the same from behaviour alone; a disagreement is an error. What traps in every ring is not executed, and
/// so not sensitive (ADR 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sensitive {
    /// Changes the ring, R, or another part of the control state.
    Control,
    /// What it does depends on where in real memory the program stands, or on what stands there at a fixed place:
    /// where a trap goes, and what it leaves.
    Location,
    /// What it does depends on the ring.
    Mode,
    /// Sensitive only in the extended reading, in which other control registers, the clock, devices and the machine's
    /// identity belong to the state: it depends on them or, with `Control`, changes them.
    Extended,
}

/// What a row does outside ring 0, per profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outside {
    /// Every sensitive row traps.
    pub classic: Behaviour,
    /// As x86 before hardware assistance.
    pub leaky: Behaviour,
    /// One supervisor-only hole, as the PDP-10.
    pub hybrid: Behaviour,
    /// `leaky` with root operation.
    pub assist: Behaviour,
}

/// The same on every profile.
const fn all(behaviour: Behaviour) -> Outside {
    Outside {
        classic: behaviour,
        leaky: behaviour,
        hybrid: behaviour,
        assist: behaviour,
    }
}

/// Traps on `classic` and `hybrid`; something else on `leaky` and `assist`.
const fn hole(behaviour: Behaviour) -> Outside {
    Outside {
        classic: Traps,
        leaky: behaviour,
        hybrid: Traps,
        assist: behaviour,
    }
}

/// One instruction.
#[derive(Clone, Copy, Debug)]
pub struct OpRow {
    /// Which one.
    pub op: Op,
    /// As the assembler writes it.
    pub mnemonic: &'static str,
    /// One line for the reference.
    doc: &'static str,
    /// Operand form.
    pub form: Form,
    /// The fixed bits of the word; those set in `mask` count.
    pub bits: u32,
    /// Which bits of the word are fixed.
    pub mask: u32,
    /// Price class.
    pub cost: Cost,
    /// State read beside the operands.
    pub reads: &'static [State],
    /// State written beside the operands.
    pub writes: &'static [State],
    /// Declared sensitivity; empty for an innocuous row.
    pub sensitive: &'static [Sensitive],
    /// What it does outside ring 0.
    pub outside: Outside,
    /// The x86 instruction it stands for, where there is one.
    pub cousin: Option<&'static str>,
}

macro_rules! instructions {
    ($(
        $(#[doc = $doc:literal])+
        $op:ident $mnemonic:literal $form:ident $bits:literal/$mask:literal $cost:ident
        $(reads [$($reads:ident),*])? $(writes [$($writes:ident),*])?
        $(sensitive [$($sensitive:ident),*] $outside:expr)? $(, cousin $cousin:literal)?;
    )*) => {
        /// The operation of an instruction: one variant for each row of [`OPS`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Op { $( $(#[doc = $doc])+ $op, )* }

        /// Every instruction, in the order of [`Op`].
        pub const OPS: &[OpRow] = &[$(
            OpRow {
                op: Op::$op,
                mnemonic: $mnemonic,
                doc: concat!($($doc),+),
                form: Form::$form,
                bits: $bits,
                mask: $mask,
                cost: Cost::$cost,
                reads: &[$($(State::$reads),*)?],
                writes: &[$($(State::$writes),*)?],
                sensitive: &[$($(Sensitive::$sensitive),*)?],
                outside: instructions!(@outside $($outside)?),
                cousin: instructions!(@cousin $($cousin)?),
            },
        )*];
    };
    (@outside) => { all(Innocuous) };
    (@outside $outside:expr) => { $outside };
    (@cousin) => { None };
    (@cousin $cousin:literal) => { Some($cousin) };
}

instructions! {
    // ---- RV32E: integer computation ----------------------------------------------------------------
    /// rd = imm << 12
    Lui "lui" U 0x00000037/0x0000007f Alu;
    /// rd = pc + (imm << 12)
    Auipc "auipc" U 0x00000017/0x0000007f Alu;
    /// rd = rs1 + imm
    Addi "addi" I 0x00000013/0x0000707f Alu;
    /// rd = 1 if rs1 < imm (signed), else 0
    Slti "slti" I 0x00002013/0x0000707f Alu;
    /// rd = 1 if rs1 < imm (unsigned), else 0
    Sltiu "sltiu" I 0x00003013/0x0000707f Alu;
    /// rd = rs1 ^ imm
    Xori "xori" I 0x00004013/0x0000707f Alu;
    /// rd = rs1 | imm
    Ori "ori" I 0x00006013/0x0000707f Alu;
    /// rd = rs1 & imm
    Andi "andi" I 0x00007013/0x0000707f Alu;
    /// rd = rs1 << shamt
    Slli "slli" Shift 0x00001013/0xfe00707f Alu;
    /// rd = rs1 >> shamt, zeros enter
    Srli "srli" Shift 0x00005013/0xfe00707f Alu;
    /// rd = rs1 >> shamt, the sign enters
    Srai "srai" Shift 0x40005013/0xfe00707f Alu;
    /// rd = rs1 + rs2
    Add "add" R 0x00000033/0xfe00707f Alu;
    /// rd = rs1 - rs2
    Sub "sub" R 0x40000033/0xfe00707f Alu;
    /// rd = rs1 << (rs2 mod 32)
    Sll "sll" R 0x00001033/0xfe00707f Alu;
    /// rd = 1 if rs1 < rs2 (signed), else 0
    Slt "slt" R 0x00002033/0xfe00707f Alu;
    /// rd = 1 if rs1 < rs2 (unsigned), else 0
    Sltu "sltu" R 0x00003033/0xfe00707f Alu;
    /// rd = rs1 ^ rs2
    Xor "xor" R 0x00004033/0xfe00707f Alu;
    /// rd = rs1 >> (rs2 mod 32), zeros enter
    Srl "srl" R 0x00005033/0xfe00707f Alu;
    /// rd = rs1 >> (rs2 mod 32), the sign enters
    Sra "sra" R 0x40005033/0xfe00707f Alu;
    /// rd = rs1 | rs2
    Or "or" R 0x00006033/0xfe00707f Alu;
    /// rd = rs1 & rs2
    And "and" R 0x00007033/0xfe00707f Alu;

    // ---- M: multiplication and division ------------------------------------------------------------
    /// rd = low word of rs1 * rs2
    Mul "mul" R 0x02000033/0xfe00707f Mul;
    /// rd = high word of rs1 * rs2, both signed
    Mulh "mulh" R 0x02001033/0xfe00707f Mul;
    /// rd = high word of rs1 * rs2, signed by unsigned
    Mulhsu "mulhsu" R 0x02002033/0xfe00707f Mul;
    /// rd = high word of rs1 * rs2, both unsigned
    Mulhu "mulhu" R 0x02003033/0xfe00707f Mul;
    /// rd = rs1 / rs2 (signed); by zero -1, overflow rs1
    Div "div" R 0x02004033/0xfe00707f Div;
    /// rd = rs1 / rs2 (unsigned); by zero 2^32 - 1
    Divu "divu" R 0x02005033/0xfe00707f Div;
    /// rd = rs1 rem rs2 (signed); by zero rs1, overflow 0
    Rem "rem" R 0x02006033/0xfe00707f Div;
    /// rd = rs1 rem rs2 (unsigned); by zero rs1
    Remu "remu" R 0x02007033/0xfe00707f Div;

    // ---- RV32E: control transfer -------------------------------------------------------------------
    /// rd = pc + 4; pc = target
    Jal "jal" J 0x0000006f/0x0000007f Jump writes [Pc];
    /// rd = pc + 4; pc = (rs1 + imm) with bit 0 cleared
    Jalr "jalr" Load 0x00000067/0x0000707f Jump writes [Pc];
    /// pc = target if rs1 = rs2
    Beq "beq" Branch 0x00000063/0x0000707f Branch writes [Pc];
    /// pc = target if rs1 != rs2
    Bne "bne" Branch 0x00001063/0x0000707f Branch writes [Pc];
    /// pc = target if rs1 < rs2 (signed)
    Blt "blt" Branch 0x00004063/0x0000707f Branch writes [Pc];
    /// pc = target if rs1 >= rs2 (signed)
    Bge "bge" Branch 0x00005063/0x0000707f Branch writes [Pc];
    /// pc = target if rs1 < rs2 (unsigned)
    Bltu "bltu" Branch 0x00006063/0x0000707f Branch writes [Pc];
    /// pc = target if rs1 >= rs2 (unsigned)
    Bgeu "bgeu" Branch 0x00007063/0x0000707f Branch writes [Pc];

    // ---- RV32E: memory -----------------------------------------------------------------------------
    /// rd = byte at rs1 + imm, sign extended
    Lb "lb" Load 0x00000003/0x0000707f Load reads [Memory];
    /// rd = half-word at rs1 + imm, sign extended
    Lh "lh" Load 0x00001003/0x0000707f Load reads [Memory];
    /// rd = word at rs1 + imm
    Lw "lw" Load 0x00002003/0x0000707f Load reads [Memory];
    /// rd = byte at rs1 + imm, zero extended
    Lbu "lbu" Load 0x00004003/0x0000707f Load reads [Memory];
    /// rd = half-word at rs1 + imm, zero extended
    Lhu "lhu" Load 0x00005003/0x0000707f Load reads [Memory];
    /// byte at rs1 + imm = rs2
    Sb "sb" Store 0x00000023/0x0000707f Store writes [Memory];
    /// half-word at rs1 + imm = rs2
    Sh "sh" Store 0x00001023/0x0000707f Store writes [Memory];
    /// word at rs1 + imm = rs2
    Sw "sw" Store 0x00002023/0x0000707f Store writes [Memory];
    /// orders memory accesses; on this machine they already are
    Fence "fence" Fence 0x0000000f/0x0000707f Fence;
    /// makes stores to code visible to fetches
    FenceI "fence.i" FenceI 0x0000100f/0x0000707f Fence;

    // ---- Zicsr: the six ways to a control register; what each does is the row of its register -------
    /// rd = csr; csr = rs1
    Csrrw "csrrw" Csr 0x00001073/0x0000707f Csr;
    /// rd = csr; csr = csr | rs1
    Csrrs "csrrs" Csr 0x00002073/0x0000707f Csr;
    /// rd = csr; csr = csr & ~rs1
    Csrrc "csrrc" Csr 0x00003073/0x0000707f Csr;
    /// rd = csr; csr = imm
    Csrrwi "csrrwi" CsrImm 0x00005073/0x0000707f Csr;
    /// rd = csr; csr = csr | imm
    Csrrsi "csrrsi" CsrImm 0x00006073/0x0000707f Csr;
    /// rd = csr; csr = csr & ~imm
    Csrrci "csrrci" CsrImm 0x00007073/0x0000707f Csr;

    // ---- Privileged, standard encodings ------------------------------------------------------------
    /// system call: traps in every ring
    Ecall "ecall" None 0x00000073/0xffffffff System
        reads [Ring] writes [Pc, Ring, Status, TrapRegisters] sensitive [] all(Traps), cousin "INT n";
    /// breakpoint: traps in every ring
    Ebreak "ebreak" None 0x00100073/0xffffffff System
        writes [Pc, Ring, Status, TrapRegisters] sensitive [] all(Traps), cousin "INT3";
    /// return from trap: ring, interrupt enable and relocation enable from their previous values; pc = epc
    Mret "mret" None 0x30200073/0xffffffff System
        reads [Status, TrapRegisters] writes [Pc, Ring, Status]
        sensitive [Control, Location] Outside { classic: Traps, leaky: Traps, hybrid: Ignored, assist: Traps },
        cousin "IRET";
    /// halt until an enabled interrupt is pending; the clock skips to it
    Wfi "wfi" None 0x10500073/0xffffffff System
        reads [Interrupts] writes [Clock] sensitive [Control, Extended] all(Traps), cousin "HLT";
    /// translation fence for the page of rs1, or for all with x0
    SfenceVma "sfence.vma" Rs1Rs2 0x12000073/0xfe007fff System
        writes [PageTable] sensitive [] all(Traps), cousin "INVLPG";

    // ---- Privileged, custom-0 ----------------------------------------------------------------------
    /// hypercall: traps in every ring
    Hcall "hcall" None 0x0000000b/0xffffffff System
        writes [Pc, Ring, Status, TrapRegisters] sensitive [] all(Traps), cousin "VMCALL";
    /// rd = port rs1
    In "in" RdRs1 0x0200000b/0xfff0707f Io
        reads [Ports, Status, Ring] sensitive [Control, Extended] all(Traps), cousin "IN";
    /// port rs1 = rs2
    Out "out" Rs1Rs2 0x0400000b/0xfe007fff Io
        reads [Status, Ring] writes [Ports] sensitive [Control, Extended] all(Traps), cousin "OUT";
    /// rd = 1 if ring rs2 may load the byte at rs1, else 0
    Prober "prober" R 0x0600000b/0xfe00707f System
        reads [Relocation, PageTable, Status] sensitive [Location] hole(Leaks), cousin "VERR";
    /// rd = 1 if ring rs2 may store the byte at rs1, else 0
    Probew "probew" R 0x0800000b/0xfe00707f System
        reads [Relocation, PageTable, Status] sensitive [Location] hole(Leaks), cousin "VERW";
    /// rd = word at window + rs1 + imm; outside ring 0 only for code at or above bound, in rings 1 and 2
    Wlw "wlw" Load 0x0000200b/0x0000707f Load
        reads [Memory, Relocation, Ring] sensitive [Location] all(Traps), cousin "MOV r, GS:[m]";
    /// word at window + rs1 + imm = rs2; outside ring 0 only for code at or above bound, in rings 1 and 2
    Wsw "wsw" Store 0x0000300b/0x0000707f Store
        reads [Relocation, Ring] writes [Memory] sensitive [Location] all(Traps), cousin "MOV GS:[m], r";
    /// enter root operation
    Vmon "vmon" None 0x2000000b/0xffffffff System
        writes [Root] sensitive [Control] all(Traps), cousin "VMXON";
    /// leave root operation
    Vmoff "vmoff" None 0x2200000b/0xffffffff System
        writes [Root] sensitive [Control] all(Traps), cousin "VMXOFF";
    /// enter non-root operation with the state in the control structure at physical address rs1
    Vmenter "vmenter" Rs1 0x2400000b/0xfff07fff System
        reads [Root] writes [Pc, Ring, Status, Relocation, PageTable, Root]
        sensitive [Control] all(Traps), cousin "VMLAUNCH";
    /// enter it again after an exit
    Vmresume "vmresume" Rs1 0x2600000b/0xfff07fff System
        reads [Root] writes [Pc, Ring, Status, Relocation, PageTable, Root]
        sensitive [Control] all(Traps), cousin "VMRESUME";
    /// forget nested translations made under the nested root rs1
    Vminval "vminval" Rs1 0x2800000b/0xfff07fff System
        writes [PageTable] sensitive [Control] all(Traps), cousin "INVEPT";
}

/// One control register: two rows of the ISA, reading and writing.
///
/// A *read* is `csrrs`, `csrrc` or their immediate forms with `x0` or 0 as source; everything else writes
/// (RISC-V Unprivileged Specification, table 9.1).
#[derive(Clone, Copy, Debug)]
pub struct CsrRow {
    /// Which one.
    pub csr: Csr,
    /// Number in the instruction word, 12 bits.
    pub number: u16,
    /// As the assembler writes it.
    pub name: &'static str,
    /// One line for the reference.
    doc: &'static str,
    /// The state it is part of.
    pub state: State,
    /// Reading it: declared sensitivity, behaviour outside ring 0, cousin.
    pub read: Access,
    /// Writing it; `None` if it is read-only, and a word that writes it is illegal.
    pub write: Option<Access>,
}

/// One way of touching a control register.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// Declared sensitivity.
    pub sensitive: &'static [Sensitive],
    /// What it does outside ring 0.
    pub outside: Outside,
    /// The x86 instruction it stands for, where there is one.
    pub cousin: Option<&'static str>,
}

macro_rules! csrs {
    ($(
        $(#[doc = $doc:literal])+
        $csr:ident $number:literal $name:literal $state:ident
        read [$($rs:ident),*] $read:expr, $rcousin:expr;
        $(write [$($ws:ident),*] $write:expr, $wcousin:expr;)?
    )*) => {
        /// A control register: one variant for each entry of [`CSRS`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Csr { $( $(#[doc = $doc])+ $csr, )* }

        /// Every control register, in the order of [`Csr`].
        pub const CSRS: &[CsrRow] = &[$(
            CsrRow {
                csr: Csr::$csr,
                number: $number,
                name: $name,
                doc: concat!($($doc),+),
                state: State::$state,
                read: Access { sensitive: &[$(Sensitive::$rs),*], outside: $read, cousin: $rcousin },
                write: csrs!(@write $([$($ws),*] $write, $wcousin)?),
            },
        )*];
    };
    (@write) => { None };
    (@write [$($ws:ident),*] $write:expr, $wcousin:expr) => {
        Some(Access { sensitive: &[$(Sensitive::$ws),*], outside: $write, cousin: $wcousin })
    };
}

csrs! {
    /// accepted so that public test suites start; reads 0, writes are dropped
    Mstatus 0x300 "mstatus" Identity
        read [] all(Traps), None;
        write [] all(Traps), None;
    /// trap vector: every trap and interrupt enters ring 0 here
    Tvec 0x305 "tvec" TrapRegisters
        read [Location] hole(Leaks), Some("SIDT");
        write [Control, Location] all(Traps), Some("LIDT");
    /// a word for the trap handler's own use
    Scratch 0x340 "scratch" TrapRegisters
        read [Extended] hole(Leaks), Some("STR");
        write [Control, Extended] all(Traps), Some("LTR");
    /// pc of the instruction that trapped, or that the interrupt came before
    Epc 0x341 "epc" TrapRegisters
        read [Location] all(Traps), None;
        write [Control, Location] all(Traps), None;
    /// why the last trap was taken
    Cause 0x342 "cause" TrapRegisters
        read [Location] all(Traps), None;
        write [Control, Location] all(Traps), None;
    /// the address or instruction word that the trap is about
    Tval 0x343 "tval" TrapRegisters
        read [Location] all(Traps), None;
        write [Control, Location] all(Traps), None;
    /// ring, previous ring, interrupt enable, relocation enable, I/O privilege level
    Status 0x7c0 "status" Status
        read [Location, Mode] hole(Leaks), Some("PUSHF");
        write [Control, Location, Mode] hole(Partial), Some("POPF");
    /// page-table root and, in bit 0, paging on or off
    Ptbr 0x7c1 "ptbr" PageTable
        read [Location] hole(Leaks), Some("SMSW");
        write [Control, Location] all(Traps), Some("MOV CR3, r");
    /// relocation: added to every address while status.RE is 1
    Base 0x7c2 "base" Relocation
        read [Location] hole(Leaks), Some("SGDT");
        write [Control, Location] all(Traps), Some("LGDT");
    /// limit of loads and stores outside ring 0
    Bound 0x7c3 "bound" Relocation
        read [Location] hole(Leaks), Some("LSL");
        write [Control, Location] all(Traps), Some("LGDT");
    /// limit of fetches outside ring 0
    Xbound 0x7c4 "xbound" Relocation
        read [Location] hole(Leaks), Some("LAR");
        write [Control, Location] all(Traps), Some("LGDT");
    /// where window loads and stores begin
    Window 0x7c5 "window" Relocation
        read [Location] hole(Leaks), Some("MOV r, sreg");
        write [Control, Location] all(Traps), Some("MOV sreg, r");
    /// the next clock value whose low word is this raises the timer interrupt; 0 for never
    Timer 0x7c6 "timer" Interrupts
        read [Extended] all(Traps), None;
        write [Control, Extended] all(Traps), Some("WRMSR (APIC timer)");
    /// pending interrupt lines in bits 0..15, which of them are enabled in bits 16..31
    Irq 0x7c7 "irq" Interrupts
        read [Extended] all(Traps), None;
        write [Control, Extended] all(Traps), Some("OUT (PIC mask)");
    /// low word of the clock
    Instret 0xc02 "instret" Clock
        read [Extended] hole(Leaks), Some("RDTSC");
    /// high word of the clock
    Instreth 0xc82 "instreth" Clock
        read [Extended] hole(Leaks), Some("RDTSC");
    /// accepted so that public test suites start; reads 0
    Mhartid 0xf14 "mhartid" Identity
        read [] all(Traps), None;
    /// what machine this is: "R32" and a version
    Cpuid 0xfc0 "cpuid" Identity
        read [Extended] hole(Leaks), Some("CPUID");
}

/// Whether some word matches both patterns.
const fn overlap(a: &OpRow, b: &OpRow) -> bool {
    let common = a.mask & b.mask;
    a.bits & common == b.bits & common
}

// A build failure is the earliest and cheapest test.
const _: () = {
    let mut i = 0;
    while i < OPS.len() {
        assert!(OPS[i].op as usize == i, "OPS is in the order of Op");
        assert!(OPS[i].bits & !OPS[i].mask == 0, "fixed bits lie inside the mask");
        let mut j = i + 1;
        while j < OPS.len() {
            assert!(!overlap(&OPS[i], &OPS[j]), "two instruction encodings overlap");
            j += 1;
        }
        i += 1;
    }
    let mut i = 0;
    while i < CSRS.len() {
        assert!(CSRS[i].csr as usize == i, "CSRS is in the order of Csr");
        assert!(
            CSRS[i].write.is_none() == (CSRS[i].number >> 10 == 3),
            "as in RISC-V, numbers 0xC00 and above are the read-only ones"
        );
        let mut j = i + 1;
        while j < CSRS.len() {
            assert!(
                CSRS[i].number != CSRS[j].number,
                "two control registers share a number"
            );
            j += 1;
        }
        i += 1;
    }
};

impl OpRow {
    /// One line for the reference.
    pub fn doc(&self) -> &'static str {
        self.doc.trim_start()
    }
}

impl CsrRow {
    /// One line for the reference.
    pub fn doc(&self) -> &'static str {
        self.doc.trim_start()
    }
}

impl Op {
    /// The row of this instruction.
    #[inline]
    pub fn row(self) -> &'static OpRow {
        &OPS[self as usize]
    }
}

impl Csr {
    /// The entry of this control register.
    #[inline]
    pub fn row(self) -> &'static CsrRow {
        &CSRS[self as usize]
    }

    /// The control register with this number.
    pub fn from_number(number: u16) -> Option<Csr> {
        CSRS.iter().find(|row| row.number == number).map(|row| row.csr)
    }
}
