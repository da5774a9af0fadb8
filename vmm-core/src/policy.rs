//! Policies: which method serves which situation. Products mix them; a policy says how, in a few lines.
//!
//! A policy decides on a mode ([`Policy::mode`]), on which parts of the guest are those of its port
//! ([`Policy::parts`]), and on the machine that the product was made for. Without one of its methods
//! ([`Policy::without`]) each situation that the method served falls to what every monitor has: trap-and-emulate,
//! shadow page tables, emulated devices. What the product is then worth, a run tells.

use serde::{Deserialize, Serialize};
use toy_isa::profile::ProfileName;

use crate::mode::ModeName;
use crate::modes::assist::Paging;
use crate::modes::translate::Scope;
use crate::modes::trap::Layout;
use crate::setup::{Parts, PortedPages};

/// What the guest's kernel is executed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kernel {
    /// An interpreter.
    Interpret,
    /// The processor, in a ring without privileges; what is privileged traps.
    Trap,
    /// The processor, after translation.
    Translate,
    /// The processor, after somebody has ported it.
    Paravirtual,
    /// The processor, in non-root operation.
    Hardware,
}

/// What the guest's user code is executed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum User {
    /// An interpreter.
    Interpret,
    /// The processor, as it stands.
    Direct,
    /// The processor, after translation.
    Translate,
}

/// Whose page tables are walked, and how they are kept right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pages {
    /// The guest's, in software.
    Emulated,
    /// The monitor's shadows of the guest's.
    Shadow,
    /// The guest's own, each change of which the monitor validates.
    Validated,
    /// The guest's and behind them the monitor's.
    Nested,
}

/// How the guest reaches a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Device {
    /// Through its registers, which the monitor emulates.
    Emulated,
    /// By hypercalls and shared memory.
    Paravirtual,
}

/// A method of virtualization, as products are told apart by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Pure emulation.
    Emulation,
    /// Binary translation.
    BinaryTranslation,
    /// Paravirtualization.
    Paravirtualization,
    /// Hardware assistance.
    HardwareAssistance,
}

impl Method {
    /// All of them, in the order of the lecture.
    pub const ALL: [Method; 4] = [
        Method::Emulation,
        Method::BinaryTranslation,
        Method::Paravirtualization,
        Method::HardwareAssistance,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Method::Emulation => "pure emulation",
            Method::BinaryTranslation => "binary translation",
            Method::Paravirtualization => "paravirtualization",
            Method::HardwareAssistance => "hardware assistance",
        }
    }
}

/// How much of the guest a method serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// Its kernel.
    Kernel,
    /// Only devices.
    Devices,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// The product that works so.
    pub product: String,
    /// What says that it does.
    pub source: String,
    /// The profile of the machine that it is for.
    #[serde(with = "profile")]
    pub machine: ProfileName,
    /// What executes the kernel.
    pub kernel: Kernel,
    /// What executes user code.
    pub user: User,
    /// Whose page tables are walked.
    pub pages: Pages,
    /// Whether user code and a kernel without privileges share a ring: layout 0/3/3.
    #[serde(default)]
    pub one_ring: bool,
    /// How the timer is reached.
    pub timer: Device,
    /// How the console is reached.
    pub console: Device,
    /// How the disk is reached.
    pub disk: Device,
}

/// A profile by its name.
mod profile {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use toy_isa::profile::ProfileName;

    pub(super) fn serialize<S: Serializer>(profile: &ProfileName, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(profile.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ProfileName, D::Error> {
        let name = String::deserialize(deserializer)?;
        ProfileName::from_name(&name).ok_or_else(|| {
            let names = ProfileName::ALL.map(ProfileName::name).join(", ");
            de::Error::custom(format!("unknown profile '{name}': expected one of {names}"))
        })
    }
}

/// Why something is no policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It is not TOML, or lacks a situation, or has an unknown method.
    #[error(transparent)]
    Toml(#[from] toml::de::Error),
    /// Its methods do not go together.
    #[error("no monitor does this: {0}")]
    Together(&'static str),
    /// There is no such policy.
    #[error("no policy is named '{0}': expected one of {names}", names = Policy::names().join(", "))]
    Unknown(String),
}

/// The policies that ship, by name.
const PRESETS: [(&str, &str); 8] = [
    ("qemu-tcg", include_str!("../policies/qemu-tcg.toml")),
    ("vsphere-bt", include_str!("../policies/vsphere-bt.toml")),
    ("vsphere-vt-x", include_str!("../policies/vsphere-vt-x.toml")),
    ("hyper-v", include_str!("../policies/hyper-v.toml")),
    ("xen-pv", include_str!("../policies/xen-pv.toml")),
    ("xen-hvm", include_str!("../policies/xen-hvm.toml")),
    ("xen-pvh", include_str!("../policies/xen-pvh.toml")),
    ("pvm", include_str!("../policies/pvm.toml")),
];

impl Policy {
    /// The names of those that ship.
    pub fn names() -> [&'static str; PRESETS.len()] {
        PRESETS.map(|(name, _)| name)
    }

    /// The one of this name that ships.
    ///
    /// # Errors
    /// If there is none.
    pub fn shipped(name: &str) -> Result<Policy, PolicyError> {
        let found = PRESETS.iter().find(|(known, _)| *known == name);
        let (_, text) = found.ok_or_else(|| PolicyError::Unknown(name.to_string()))?;
        Policy::parse(text)
    }

    /// Reads a policy.
    ///
    /// # Errors
    /// If it is not TOML, lacks a situation, has an unknown method, or has methods that do not go together.
    pub fn parse(text: &str) -> Result<Policy, PolicyError> {
        let policy: Policy = toml::from_str(text)?;
        policy.mode()?;
        Ok(policy)
    }

    /// The mode that does what it says.
    ///
    /// # Errors
    /// If there is none.
    pub fn mode(&self) -> Result<ModeName, PolicyError> {
        let devices = [self.timer, self.console, self.disk];
        let all = |how: Device| devices.iter().all(|device| *device == how);
        let layout = match self.one_ring {
            true => Layout::RingCompression,
            false => Layout::RingDeprivileging,
        };
        let together = |what| Err(PolicyError::Together(what));
        if self.one_ring && !matches!(self.kernel, Kernel::Trap | Kernel::Paravirtual) {
            return together("one ring for user code and kernel is a layout of trap-and-emulate");
        }
        if self.kernel == Kernel::Interpret && !all(Device::Emulated) {
            return together("an interpreter offers no hypercalls, so its devices are emulated");
        }
        if self.kernel == Kernel::Paravirtual && !all(Device::Paravirtual) {
            return together("a kernel that may touch no privileged register has paravirtual devices");
        }
        Ok(match (self.kernel, self.user, self.pages) {
            (Kernel::Interpret, User::Interpret, Pages::Emulated) => ModeName::Interpret,
            (Kernel::Interpret, User::Direct, Pages::Shadow) => ModeName::Hybrid,
            (Kernel::Trap, User::Direct, Pages::Shadow) => ModeName::Trap(layout),
            (Kernel::Translate, User::Direct, Pages::Shadow) => ModeName::Translate(Scope::Kernel),
            (Kernel::Translate, User::Translate, Pages::Shadow) => ModeName::Translate(Scope::Everything),
            (Kernel::Paravirtual, User::Direct, Pages::Shadow) => ModeName::Trap(layout),
            (Kernel::Paravirtual, User::Direct, Pages::Validated) if !self.one_ring => ModeName::Para,
            (Kernel::Hardware, User::Direct, Pages::Nested) => ModeName::Assist(Paging::Nested),
            (Kernel::Hardware, User::Direct, Pages::Shadow) => ModeName::Assist(Paging::Shadow),
            (Kernel::Interpret, ..) => {
                return together(
                    "an interpreted kernel has interpreted user code and emulated page tables, or \
                                 direct user code and shadows",
                );
            }
            (Kernel::Paravirtual, ..) => {
                return together(
                    "a ported kernel has direct user code in ring 3 and validated page tables, or shadows",
                );
            }
            (Kernel::Hardware, ..) => {
                return together(
                    "in non-root operation user code runs directly, with nested page tables or shadows",
                );
            }
            (Kernel::Trap | Kernel::Translate, ..) => {
                return together(
                    "a kernel without privileges has shadows of its page tables; user code is translated \
                                 only beside it",
                );
            }
        })
    }

    /// Which parts of the guest are those of its port; `None` if it runs as it is.
    pub fn parts(&self) -> Option<Parts> {
        let ported = |device| device == Device::Paravirtual;
        let parts = Parts {
            kernel: (self.kernel == Kernel::Paravirtual).then_some(match self.pages {
                Pages::Validated => PortedPages::Validated,
                _ => PortedPages::Shadowed,
            }),
            timer: ported(self.timer),
            console: ported(self.console),
            disk: ported(self.disk),
        };
        (parts != Parts::NONE).then_some(parts)
    }

    /// How much of the guest a method serves; `None` if nothing.
    pub fn share(&self, method: Method) -> Option<Share> {
        let kernel = match self.kernel {
            Kernel::Interpret => Some(Method::Emulation),
            Kernel::Trap => None,
            Kernel::Translate => Some(Method::BinaryTranslation),
            Kernel::Paravirtual => Some(Method::Paravirtualization),
            Kernel::Hardware => Some(Method::HardwareAssistance),
        };
        let device = [self.timer, self.console, self.disk].contains(&Device::Paravirtual);
        match kernel == Some(method) {
            true => Some(Share::Kernel),
            false => (device && method == Method::Paravirtualization).then_some(Share::Devices),
        }
    }

    /// The policy that is left without a method: what it served falls to trap-and-emulate, shadow page tables and
    /// emulated devices.
    #[must_use]
    pub fn without(&self, method: Method) -> Policy {
        let mut rest = self.clone();
        if self.share(method) == Some(Share::Kernel) {
            (rest.kernel, rest.user, rest.pages) = (Kernel::Trap, User::Direct, Pages::Shadow);
        }
        if method == Method::Paravirtualization {
            [rest.timer, rest.console, rest.disk] = [Device::Emulated; 3];
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presets() -> Vec<Policy> {
        let shipped = |name| Policy::shipped(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        Policy::names().into_iter().map(shipped).collect()
    }

    #[test]
    fn every_preset_can_be_run_and_cites_its_source() {
        for policy in presets() {
            assert!(
                policy.mode().is_ok() && !policy.source.is_empty(),
                "{}",
                policy.name
            );
            let served = Method::ALL
                .into_iter()
                .any(|method| policy.share(method) == Some(Share::Kernel));
            assert!(served, "{} serves its kernel by nothing", policy.name);
        }
    }

    #[test]
    fn without_its_methods_a_policy_is_trap_and_emulate() {
        for policy in presets() {
            for method in Method::ALL
                .into_iter()
                .filter(|method| policy.share(*method).is_some())
            {
                let rest = policy.without(method);
                assert_eq!(rest.share(method), None, "{} {method:?}", policy.name);
                assert!(rest.mode().is_ok(), "{} {method:?}", policy.name);
            }
            let bare = Method::ALL
                .into_iter()
                .fold(policy.clone(), |left, method| left.without(method));
            assert!(matches!(bare.mode(), Ok(ModeName::Trap(_))), "{}", policy.name);
            assert_eq!(bare.parts(), None);
        }
    }

    #[test]
    fn methods_that_do_not_go_together_are_refused_with_the_reason() {
        let text = include_str!("../policies/xen-pv.toml");
        for (change, why) in [
            (("pages = \"validated\"", "pages = \"nested\""), "validated"),
            (("disk = \"paravirtual\"", "disk = \"emulated\""), "devices"),
            (("kernel = \"paravirtual\"", "kernel = \"hardware\""), "non-root"),
            (
                ("kernel = \"paravirtual\"", "kernel = \"interpret\""),
                "hypercalls",
            ),
            (
                ("machine = \"leaky\"", "machine = \"leeky\""),
                "expected one of classic",
            ),
            (("user = \"direct\"", "usr = \"direct\""), "unknown field"),
        ] {
            let changed = text.replace(change.0, change.1);
            assert_ne!(changed, text, "{change:?}");
            let error = Policy::parse(&changed).expect_err("it is wrong").to_string();
            assert!(error.contains(why), "{change:?}: {error}");
        }
        assert!(Policy::shipped("xan").is_err_and(|error| error.to_string().contains("xen-pv")));
    }
}
