//! What one page-table entry means for an access.

use super::{Access, WalkFault, pte};

/// What an entry leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A table of the next level, at this physical address.
    Table(u32),
    /// The 4 KiB frame, at this physical address, that the address falls into.
    Leaf(u32),
    /// Nothing.
    Refused(Refusal),
}

/// Why an entry leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// V is not set.
    Invalid,
    /// W without R means nothing.
    WriteOnly,
    /// It has not the permission that the access needs.
    Permission,
    /// It has no U, and the access is from ring 3.
    Ring,
    /// A superpage that does not begin at a multiple of its size.
    Misaligned,
    /// A pointer to a third level, which there is not.
    TooDeep,
    /// It points beyond 4 GiB.
    Beyond,
}

impl Refusal {
    /// The fault of the walk that it ends.
    pub fn fault(self) -> WalkFault {
        match self {
            Refusal::Beyond => WalkFault::Access,
            _ => WalkFault::Page,
        }
    }
}

impl Meaning {
    /// What `entry`, found at this level (1 is the root's), means for an access from `ring` to a `linear` address
    /// (RISC-V Privileged Specification 1.12, section 4.3.2, steps 3 to 6).
    #[inline]
    pub fn of(entry: u32, level: u32, access: Access, ring: u32, linear: u32) -> Meaning {
        let leaf = entry & (pte::R | pte::X) != 0;
        let superpage = leaf && level == 1;
        let refusal = if entry & pte::V == 0 {
            Refusal::Invalid
        } else if entry & (pte::R | pte::W) == pte::W {
            Refusal::WriteOnly
        } else if !leaf && level == 0 {
            Refusal::TooDeep
        } else if leaf && entry & access.permission() == 0 {
            Refusal::Permission
        } else if leaf && ring == 3 && entry & pte::U == 0 {
            Refusal::Ring
        } else if superpage && entry & 0x000f_fc00 != 0 {
            Refusal::Misaligned
        } else {
            let within = if superpage { linear & 0x003f_f000 } else { 0 };
            return match pte::frame(entry) {
                Some(frame) if leaf => Meaning::Leaf(frame | within),
                Some(table) => Meaning::Table(table),
                None => Meaning::Refused(Refusal::Beyond),
            };
        };
        Meaning::Refused(refusal)
    }
}
