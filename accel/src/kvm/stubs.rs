//! What the virtual machine has in ring 0: descriptor tables, and a stub of a few instructions for each exception.
//!
//! Some KVMs interpret ring 0, at half a microsecond an instruction. So the stubs do what only ring 0 can, and no more.

use super::place::{CHANGES, COUNT, GDT, IDT, PORT, STACK, STUBS, TSS, UNFORESEEN};

/// Selectors.
pub(crate) const CODE_3: u16 = 0x18 | 3;
pub(crate) const DATA_3: u16 = 0x20 | 3;
pub(crate) const TASK: u16 = 0x28;
/// Bytes of the descriptor tables.
pub(crate) const GDT_SIZE: u16 = 0x38;
pub(crate) const IDT_SIZE: u16 = 16 * 32;
pub(crate) const TSS_SIZE: u16 = TSS_FIXED + 34;
/// The task state without the bits that say which ports ring 3 may use.
const TSS_FIXED: u16 = 104;

/// Where the stub of each vector stands.
const STUB_SIZE: u64 = 64;
/// The vector of `int3`: page tables are to be changed.
const SERVICE: u8 = 3;
/// What emitted code may cause: a page is not mapped or not for this, or an address is not aligned. Both push an error
/// code.
const PAGE_FAULT: u8 = 14;
const ALIGNMENT: u8 = 17;

fn low(address: u64) -> [u8; 4] {
    (address as u32).to_le_bytes()
}

/// Halts; when it is resumed, goes on where the frame says, which the monitor may have changed.
fn fault() -> Vec<u8> {
    // hlt; add rsp, 8; iretq
    vec![0xf4, 0x48, 0x83, 0xc4, 0x08, 0x48, 0xcf]
}

/// Stores the changes to page tables, and lets the processor forget what it knew of their pages. No register is kept:
/// emitted code asks for this before it has loaded any.
fn service() -> Vec<u8> {
    let mut code = vec![0xbe]; // mov esi, CHANGES
    code.extend(low(CHANGES));
    code.extend([0x8b, 0x0c, 0x25]); // mov ecx, [COUNT]
    code.extend(low(COUNT));
    code.extend([0xe3, 14]); // jrcxz over the loop
    code.extend([0x48, 0xad]); // lodsq
    code.extend([0x48, 0x89, 0xc7]); // mov rdi, rax
    code.extend([0x48, 0xa5]); // movsq
    code.extend([0x48, 0xad]); // lodsq
    code.extend([0x0f, 0x01, 0x38]); // invlpg [rax]
    code.extend([0xe2, (-14_i8) as u8]); // loop
    code.extend([0x48, 0xcf]); // iretq
    code
}

/// Says which exception it was, and halts for good.
fn unforeseen(vector: u8) -> Vec<u8> {
    let mut code = vec![0xc6, 0x04, 0x25]; // mov byte [UNFORESEEN], vector + 1
    code.extend(low(UNFORESEEN));
    code.push(vector + 1);
    code.extend([0xf4, 0xeb, 0xfd]); // hlt; jmp to it
    code
}

/// All of it, with the addresses at which it stands.
pub(crate) fn image() -> Vec<(u64, Vec<u8>)> {
    let descriptors: [u64; 7] = [
        0,
        0x00af_9b00_0000_ffff,
        0x00cf_9300_0000_ffff,
        0x00af_fb00_0000_ffff,
        0x00cf_f300_0000_ffff,
        0x0000_8b00_0000_0000 | u64::from(TSS_SIZE - 1) | TSS << 16,
        0,
    ];
    let bytes = |words: &[u64]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut gates = Vec::new();
    let mut parts = vec![(GDT, bytes(&descriptors))];
    for vector in 0..32 {
        let at = STUBS + STUB_SIZE * u64::from(vector);
        let code = match vector {
            SERVICE => service(),
            PAGE_FAULT | ALIGNMENT => fault(),
            _ => unforeseen(vector),
        };
        parts.push((at, code));
        // An interrupt gate; ring 3 may use that of `int3`.
        let kind = if vector == SERVICE { 0xee } else { 0x8e };
        gates.extend([
            at & 0xffff | 0x08 << 16 | kind << 40 | (at >> 16 & 0xffff) << 48,
            0,
        ]);
    }
    parts.push((IDT, bytes(&gates)));
    // One port is for ring 3. (Some KVMs lose the processor's own level for ports, IOPL, when an exception is
    // delivered.)
    let mut task = vec![0xff; usize::from(TSS_SIZE)];
    task[..usize::from(TSS_FIXED)].fill(0);
    task[4..12].copy_from_slice(&STACK.to_le_bytes());
    task[102] = TSS_FIXED as u8;
    task[usize::from(TSS_FIXED) + usize::from(PORT / 8)] &= !(1 << (PORT % 8));
    parts.push((TSS, task));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stub_fits_its_place() {
        for (at, code) in image() {
            let stub = (STUBS..STUBS + 32 * STUB_SIZE).contains(&at);
            let fits = !stub || code.len() as u64 <= STUB_SIZE;
            assert!(fits, "{at:#x}");
        }
    }
}
