//! Words of x86-64: as much of an assembler as the lowering needs (Intel's manual, volume 2, chapter 2).

/// A general register, by its number in the encoding.
pub(super) type Gpr = u8;

pub(super) const RAX: Gpr = 0;
pub(super) const RCX: Gpr = 1;
pub(super) const RDX: Gpr = 2;
pub(super) const RBX: Gpr = 3;
pub(super) const RSP: Gpr = 4;
pub(super) const RBP: Gpr = 5;
pub(super) const RSI: Gpr = 6;
pub(super) const RDI: Gpr = 7;
pub(super) const R8: Gpr = 8;
pub(super) const R9: Gpr = 9;
pub(super) const R10: Gpr = 10;
pub(super) const R11: Gpr = 11;
pub(super) const R12: Gpr = 12;
pub(super) const R13: Gpr = 13;
pub(super) const R14: Gpr = 14;
pub(super) const R15: Gpr = 15;

/// Conditions, as the low half of the opcodes of jumps and `setcc`.
pub(super) mod condition {
    pub(in super::super) const BELOW: u8 = 2;
    pub(in super::super) const NOT_BELOW: u8 = 3;
    pub(in super::super) const EQUAL: u8 = 4;
    pub(in super::super) const NOT_EQUAL: u8 = 5;
    pub(in super::super) const ABOVE: u8 = 7;
    pub(in super::super) const LESS: u8 = 12;
    pub(in super::super) const NOT_LESS: u8 = 13;
}

/// Operations of the group `op r/m, imm` and of the opcodes `8 op + 3`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Alu {
    Add = 0,
    Or = 1,
    And = 4,
    Sub = 5,
    Xor = 6,
    Cmp = 7,
}

/// Operations of the group `shift r/m, imm8`.
#[derive(Clone, Copy)]
pub(super) enum Shift {
    Left = 4,
    Right = 5,
    Arithmetic = 7,
}

/// A register, or a place in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Reg(Gpr),
    /// `[base + disp]`
    At(Gpr, i32),
    /// `[base + index * 2^scale + disp]`
    Indexed(Gpr, Gpr, u8, i32),
}

use Place::{At, Indexed, Reg};

/// Whether operands are 32 or 64 bits wide.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wide {
    No,
    Yes,
}

/// Code that is being written, to stand at `origin` of its arena.
pub(super) struct Assembler {
    pub(super) code: Vec<u8>,
    pub(super) origin: usize,
}

impl Assembler {
    pub(super) fn new(origin: usize) -> Assembler {
        Assembler {
            code: Vec::with_capacity(1024),
            origin,
        }
    }

    /// Where the next byte will stand in the arena.
    pub(super) fn here(&self) -> usize {
        self.origin + self.code.len()
    }

    fn byte(&mut self, byte: u8) {
        self.code.push(byte);
    }

    fn word(&mut self, word: i32) {
        self.code.extend_from_slice(&word.to_le_bytes());
    }

    /// One instruction with a ModRM byte: prefix, REX where needed, opcode, operands. `byte_register` asks for the
    /// REX prefix without which numbers 4..7 would mean the high halves of the first four registers.
    fn modrm(
        &mut self,
        prefix: Option<u8>,
        wide: Wide,
        opcode: &[u8],
        reg: u8,
        rm: Place,
        byte_register: bool,
    ) {
        if let Some(prefix) = prefix {
            self.byte(prefix);
        }
        let (base, index) = match rm {
            Reg(r) | At(r, _) => (r, 0),
            Indexed(base, index, ..) => (base, index),
        };
        let rex = u8::from(wide == Wide::Yes) << 3 | reg >> 3 << 2 | index >> 3 << 1 | base >> 3;
        if rex != 0 || byte_register {
            self.byte(0x40 | rex);
        }
        self.code.extend_from_slice(opcode);
        self.operands(reg, rm);
    }

    fn operands(&mut self, reg: u8, rm: Place) {
        let reg = (reg & 7) << 3;
        let (base, disp) = match rm {
            Reg(r) => return self.byte(0xc0 | reg | r & 7),
            At(base, disp) | Indexed(base, _, _, disp) => (base, disp),
        };
        // A base of 5 or 13 without displacement would mean something else.
        let short = i8::try_from(disp).is_ok();
        let mode = match disp {
            0 if base & 7 != 5 => 0,
            _ if short => 0x40,
            _ => 0x80,
        };
        match rm {
            Indexed(_, index, scale, _) => {
                self.byte(mode | reg | 4);
                self.byte(scale << 6 | (index & 7) << 3 | base & 7);
            }
            _ if base & 7 == 4 => {
                self.byte(mode | reg | 4);
                self.byte(0x24);
            }
            _ => self.byte(mode | reg | base & 7),
        }
        match mode {
            0 => {}
            0x40 => self.byte(disp as u8),
            _ => self.word(disp),
        }
    }

    /// A three-byte VEX prefix, an opcode and its operands; `map` and `prefix` as in the prefix, 0x80 for 64 bits.
    fn vex(&mut self, map: u8, prefix: u8, other: Gpr, opcode: u8, reg: Gpr, rm: Place) {
        let (base, index) = match rm {
            Reg(r) | At(r, _) => (r, 0),
            Indexed(base, index, ..) => (base, index),
        };
        self.byte(0xc4);
        self.byte((!reg & 8) << 4 | (!index & 8) << 3 | (!base & 8) << 2 | map);
        self.byte((!other & 15) << 3 | prefix);
        self.byte(opcode);
        self.operands(reg, rm);
    }

    /// `op reg, rm`
    pub(super) fn alu(&mut self, op: Alu, reg: Gpr, rm: Place) {
        self.modrm(None, Wide::No, &[8 * op as u8 + 3], reg, rm, false);
    }

    /// `op reg, rm` in 64 bits
    pub(super) fn alu_wide(&mut self, op: Alu, reg: Gpr, rm: Place) {
        self.modrm(None, Wide::Yes, &[8 * op as u8 + 3], reg, rm, false);
    }

    /// `op rm, imm`
    pub(super) fn alu_imm(&mut self, wide: Wide, op: Alu, rm: Place, imm: i32) {
        match i8::try_from(imm) {
            Ok(short) => {
                self.modrm(None, wide, &[0x83], op as u8, rm, false);
                self.byte(short as u8);
            }
            Err(_) => {
                self.modrm(None, wide, &[0x81], op as u8, rm, false);
                self.word(imm);
            }
        }
    }

    /// `test a, b`
    pub(super) fn test(&mut self, wide: Wide, a: Gpr, b: Gpr) {
        self.modrm(None, wide, &[0x85], a, Reg(b), false);
    }

    /// `test reg8, imm`
    pub(super) fn test_byte(&mut self, reg: Gpr, imm: u8) {
        self.modrm(None, Wide::No, &[0xf6], 0, Reg(reg), reg >= 4);
        self.byte(imm);
    }

    /// `shift rm, count`
    pub(super) fn shift(&mut self, op: Shift, reg: Gpr, count: u8) {
        self.modrm(None, Wide::No, &[0xc1], op as u8, Reg(reg), false);
        self.byte(count);
    }

    /// `shr reg, count` in 64 bits
    pub(super) fn shr_wide(&mut self, reg: Gpr, count: u8) {
        self.modrm(None, Wide::Yes, &[0xc1], Shift::Right as u8, Reg(reg), false);
        self.byte(count);
    }

    /// `shlx`, `shrx` or `sarx reg, rm, count`
    pub(super) fn shift_by(&mut self, op: Shift, reg: Gpr, rm: Place, count: Gpr) {
        let prefix = match op {
            Shift::Left => 1,
            Shift::Arithmetic => 2,
            Shift::Right => 3,
        };
        self.vex(2, prefix, count, 0xf7, reg, rm);
    }

    /// `rorx reg, from, count`
    pub(super) fn rorx(&mut self, wide: Wide, reg: Gpr, from: Gpr, count: u8) {
        let prefix = if wide == Wide::Yes { 0x83 } else { 3 };
        self.vex(3, prefix, 0, 0xf0, reg, Reg(from));
        self.byte(count);
    }

    /// `mov reg, rm`
    pub(super) fn mov(&mut self, reg: Gpr, rm: Place) {
        if rm != Reg(reg) {
            self.modrm(None, Wide::No, &[0x8b], reg, rm, false);
        }
    }

    /// `mov reg, rm` in 64 bits
    pub(super) fn mov_wide(&mut self, reg: Gpr, rm: Place) {
        self.modrm(None, Wide::Yes, &[0x8b], reg, rm, false);
    }

    /// `mov [rm], reg`
    pub(super) fn store(&mut self, rm: Place, reg: Gpr) {
        self.modrm(None, Wide::No, &[0x89], reg, rm, false);
    }

    /// `mov [rm], reg` in 64 bits
    pub(super) fn store_wide(&mut self, rm: Place, reg: Gpr) {
        self.modrm(None, Wide::Yes, &[0x89], reg, rm, false);
    }

    /// `mov [rm], reg16`
    pub(super) fn store_half(&mut self, rm: Place, reg: Gpr) {
        self.modrm(Some(0x66), Wide::No, &[0x89], reg, rm, false);
    }

    /// `mov [rm], reg8`
    pub(super) fn store_byte(&mut self, rm: Place, reg: Gpr) {
        self.modrm(None, Wide::No, &[0x88], reg, rm, reg >= 4);
    }

    /// `mov reg, imm`, flags untouched.
    pub(super) fn mov_imm(&mut self, reg: Gpr, imm: u32) {
        if reg >= 8 {
            self.byte(0x41);
        }
        self.byte(0xb8 | reg & 7);
        self.word(imm as i32);
    }

    /// `mov dword [rm], imm`
    pub(super) fn store_imm(&mut self, rm: Place, imm: u32) {
        self.modrm(None, Wide::No, &[0xc7], 0, rm, false);
        self.word(imm as i32);
    }

    /// `mov word [rm], imm`
    pub(super) fn store_half_imm(&mut self, rm: Place, imm: u16) {
        self.modrm(Some(0x66), Wide::No, &[0xc7], 0, rm, false);
        self.code.extend_from_slice(&imm.to_le_bytes());
    }

    /// `mov byte [rm], imm`
    pub(super) fn store_byte_imm(&mut self, rm: Place, imm: u8) {
        self.modrm(None, Wide::No, &[0xc6], 0, rm, false);
        self.byte(imm);
    }

    /// `movzx` or `movsx reg, rm` by the second byte of its opcode.
    pub(super) fn extend(&mut self, opcode: u8, reg: Gpr, rm: Place) {
        let byte_register = matches!(rm, Reg(r) if r >= 4);
        self.modrm(None, Wide::No, &[0x0f, opcode], reg, rm, byte_register);
    }

    /// `movsxd reg, rm`
    pub(super) fn sign_extend(&mut self, reg: Gpr, rm: Place) {
        self.modrm(None, Wide::Yes, &[0x63], reg, rm, false);
    }

    /// `lea reg, [rm]`
    pub(super) fn lea(&mut self, reg: Gpr, rm: Place) {
        self.modrm(None, Wide::No, &[0x8d], reg, rm, false);
    }

    /// `lea reg, [rm]` in 64 bits
    pub(super) fn lea_wide(&mut self, reg: Gpr, rm: Place) {
        self.modrm(None, Wide::Yes, &[0x8d], reg, rm, false);
    }

    /// `setcc reg8`
    pub(super) fn set(&mut self, condition: u8, reg: Gpr) {
        self.modrm(None, Wide::No, &[0x0f, 0x90 | condition], 0, Reg(reg), reg >= 4);
    }

    /// `imul reg, rm`
    pub(super) fn imul(&mut self, wide: Wide, reg: Gpr, rm: Place) {
        self.modrm(None, wide, &[0x0f, 0xaf], reg, rm, false);
    }

    /// `neg reg`
    pub(super) fn neg(&mut self, reg: Gpr) {
        self.modrm(None, Wide::No, &[0xf7], 3, Reg(reg), false);
    }

    /// `div reg`
    pub(super) fn div(&mut self, reg: Gpr) {
        self.modrm(None, Wide::No, &[0xf7], 6, Reg(reg), false);
    }

    /// `idiv reg`
    pub(super) fn idiv(&mut self, reg: Gpr) {
        self.modrm(None, Wide::No, &[0xf7], 7, Reg(reg), false);
    }

    /// `cdq`
    pub(super) fn cdq(&mut self) {
        self.byte(0x99);
    }

    /// `push reg`
    pub(super) fn push(&mut self, reg: Gpr) {
        if reg >= 8 {
            self.byte(0x41);
        }
        self.byte(0x50 | reg & 7);
    }

    /// `pop reg`
    pub(super) fn pop(&mut self, reg: Gpr) {
        if reg >= 8 {
            self.byte(0x41);
        }
        self.byte(0x58 | reg & 7);
    }

    /// `int3`
    pub(super) fn int3(&mut self) {
        self.byte(0xcc);
    }

    /// `out port, al`
    pub(super) fn out(&mut self, port: u8) {
        self.byte(0xe6);
        self.byte(port);
    }

    /// `ret`
    pub(super) fn ret(&mut self) {
        self.byte(0xc3);
    }

    /// `pxor xmm, xmm`
    pub(super) fn clear_lanes(&mut self, xmm: u8) {
        self.modrm(Some(0x66), Wide::No, &[0x0f, 0xef], xmm, Reg(xmm), false);
    }

    /// `movups [rm], xmm`
    pub(super) fn store_lanes(&mut self, rm: Place, xmm: u8) {
        self.modrm(None, Wide::No, &[0x0f, 0x11], xmm, rm, false);
    }

    /// `paddw xmm, [at]`, or `psubw`, with the lanes at an aligned place of the arena.
    pub(super) fn add_lanes(&mut self, forth: bool, xmm: u8, at: usize) {
        let opcode = if forth { 0xfd } else { 0xf9 };
        self.code.extend_from_slice(&[0x66, 0x0f, opcode, xmm << 3 | 5]);
        self.relative(at);
    }

    /// Fills up to a multiple of `unit`, with what does nothing.
    pub(super) fn align(&mut self, unit: usize) {
        while !self.here().is_multiple_of(unit) {
            match unit - self.here() % unit {
                1 => self.byte(0x90),
                2 => self.code.extend_from_slice(&[0x66, 0x90]),
                3..8 => self.code.extend_from_slice(&[0x0f, 0x1f, 0]),
                _ => self.code.extend_from_slice(&[0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0]),
            }
        }
    }

    /// `jmp` to a place of the arena; returns where the displacement stands.
    pub(super) fn jmp(&mut self, target: usize) -> usize {
        self.byte(0xe9);
        self.relative(target)
    }

    /// `jmp [rm]` or `jmp reg`
    pub(super) fn jmp_to(&mut self, rm: Place) {
        self.modrm(None, Wide::No, &[0xff], 4, rm, false);
    }

    /// `jcc` to a place of the arena; returns where the displacement stands.
    pub(super) fn jcc(&mut self, condition: u8, target: usize) -> usize {
        self.byte(0x0f);
        self.byte(0x80 | condition);
        self.relative(target)
    }

    /// `jcc` forward, to what [`Assembler::land`] will name.
    pub(super) fn skip(&mut self, condition: u8) -> usize {
        self.byte(0x70 | condition);
        self.byte(0);
        self.code.len()
    }

    /// `jmp` forward, to what [`Assembler::land`] will name.
    pub(super) fn skip_always(&mut self) -> usize {
        self.byte(0xeb);
        self.byte(0);
        self.code.len()
    }

    /// The short jump that ended at `from` leads here.
    pub(super) fn land(&mut self, from: usize) {
        let distance = self.code.len() - from;
        debug_assert!(distance < 128, "a short jump skips a few instructions");
        self.code[from - 1] = distance as u8;
    }

    fn relative(&mut self, target: usize) -> usize {
        let site = self.here();
        self.word(displacement(site, target));
        site
    }

    /// Lets the displacement at `site`, a place of the arena in this code, lead to `target`.
    pub(super) fn aim(&mut self, site: usize, target: usize) {
        let at = site - self.origin;
        self.code[at..at + 4].copy_from_slice(&displacement(site, target).to_le_bytes());
    }
}

/// The displacement of a jump whose four bytes stand at `site`. An arena is smaller than 2 GiB.
pub(super) fn displacement(site: usize, target: usize) -> i32 {
    (target as i64 - (site as i64 + 4)) as i32
}
