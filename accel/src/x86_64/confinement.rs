//! Where emitted code can get to: what it goes by, looked at from outside.

use toy_isa::machine::Machine;
use toy_isa::mmu::{Access, PAGE};

use super::Translator;
use super::gate::Process;
use crate::Confinement;

impl Translator<Process> {
    /// What of the host's memory emitted code can reach by the addresses of `machine`, which ran on this engine.
    pub(super) fn confinement(&self, machine: &Machine) -> Confinement {
        let ram = &machine.board.ram;
        let mut found = Confinement::default();
        let memory = ram.slice(0, ram.size()).map_or(0, |bytes| bytes.as_ptr() as u64);
        if self.seen.memory != (memory, ram.size()) {
            // What is known is of another machine, and is forgotten before anything runs.
            return found;
        }
        // Pages that have got flags since are taken out before emitted code runs again.
        let fresh = self.raised == ram.raised();
        let reached = self.spaces.mapped().flat_map(|(space, page)| {
            let lead = move |access| {
                Some((
                    access == Access::Store,
                    page,
                    self.ground.leads(space, access, page)?,
                ))
            };
            [Access::Load, Access::Store].into_iter().filter_map(lead)
        });
        for (storing, page, host) in reached {
            found.pages += 1;
            let offset = host.wrapping_sub(memory);
            let inside = offset.is_multiple_of(u64::from(PAGE)) && offset < u64::from(ram.size());
            let unnoticed = inside && storing && fresh && ram.flags(offset as u32) != 0;
            if !inside || unnoticed {
                found.astray.push(page * PAGE);
            }
        }
        if let Some((_, window)) = self.windowed.filter(|((raised, _), _)| *raised == ram.raised()) {
            let end = window.start + window.sizes[0];
            let mut pages = window.start / u64::from(PAGE)..end.div_ceil(u64::from(PAGE));
            found.pages += pages.clone().count() as u64;
            let astray =
                pages.find(|page| *page >= u64::from(ram.pages()) || ram.flags(*page as u32 * PAGE) != 0);
            found
                .astray
                .extend(astray.map(|page| (page * u64::from(PAGE)) as u32));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use toy_isa::asm::{Options, Source, assemble};
    use toy_isa::engine::Engine;
    use toy_isa::machine::{Config, TLB_ENTRIES};
    use toy_isa::profile::{Profile, ProfileName};

    use super::*;
    use crate::x86_64::X86_64;
    use crate::x86_64::layout::PAGES;

    /// An engine that has run a loop over six pages, with their addresses relocated by one page or not.
    fn ran(relocated: bool) -> Option<(X86_64, Machine)> {
        let mut engine = X86_64::with_patience(0)
            .map_err(|missing| println!("skipped: {missing}"))
            .ok()?;
        let text = "
            li      t0, 0x2000
            li      t1, 0x8000
            li      t2, 4096
        1:  lw      a0, 0(t0)
            sw      t0, 0(t0)
            add     t0, t0, t2
            bne     t0, t1, 1b
        2:  j       2b
        ";
        let image = assemble(&[Source::new("loop.s", text)], &Options::default()).expect("correct");
        let mut machine = Machine::new(Config {
            memory: 16 * PAGE,
            profile: Arc::new(Profile::new(ProfileName::Classic)),
            disk: Vec::new(),
            input: Vec::new(),
            tlb: TLB_ENTRIES,
        });
        machine.load(&image).expect("it fits");
        if relocated {
            machine
                .board
                .ram
                .load(PAGE, &image.segments[0].bytes)
                .expect("it fits");
            machine.hart.csr.status.0 = 3 | toy_isa::hart::Status::RE;
            machine.hart.csr.base = PAGE;
            machine.hart.csr.bound = 15 * PAGE;
            machine.hart.csr.xbound = 15 * PAGE;
        }
        engine.run(&mut machine, 1000);
        Some((engine, machine))
    }

    #[test]
    fn emitted_code_reaches_what_the_guest_has_used_and_nothing_else() {
        for relocated in [false, true] {
            let Some((engine, machine)) = ran(relocated) else {
                return;
            };
            let found = engine.confinement(&machine);
            assert!(
                found.pages >= 12,
                "six for loads and for stores, or all: {found:?}"
            );
            assert!(found.astray.is_empty(), "relocated: {relocated}: {found:?}");
        }
    }

    #[test]
    fn an_addend_that_leads_astray_is_seen() {
        let Some((mut engine, machine)) = ran(true) else {
            return;
        };
        let memory = engine.0.seen.memory.0;
        let mut lead = |index: usize, host: u64| {
            let page = (index % PAGES) as u64 * u64::from(PAGE);
            let space = engine.0.spaces.current();
            engine.0.ground.plant(space, index, host.wrapping_sub(page));
            engine.confinement(&machine).astray
        };
        let size = u64::from(machine.board.ram.size());
        assert_eq!(lead(3, memory + size), [3 * PAGE], "behind the guest's memory");
        assert_eq!(lead(3, memory - u64::from(PAGE)), [3 * PAGE], "before it");
        assert_eq!(lead(3, memory + 8), [3 * PAGE], "between two pages");
        assert!(lead(3, memory).is_empty());
        // Its code stands in page 1, and an engine wants to hear of stores there.
        let code = memory + u64::from(PAGE);
        assert!(lead(3, code).is_empty(), "it may be read");
        assert_eq!(lead(PAGES + 3, code), [3 * PAGE]);
    }
}
