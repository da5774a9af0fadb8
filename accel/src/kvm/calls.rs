//! Requests to KVM: which there are, and what is done when one does not come through.

use super::{Errno, KvmError};

/// A request to the host's kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// `open("/dev/kvm")`
    Open,
    /// `KVM_GET_API_VERSION`
    Version,
    /// `KVM_CHECK_EXTENSION`
    Extension,
    /// `KVM_CREATE_VM`
    CreateVm,
    /// `KVM_SET_USER_MEMORY_REGION`
    Memory,
    /// `KVM_CREATE_VCPU`
    CreateVcpu,
    /// `KVM_GET_SUPPORTED_CPUID`
    SupportedCpuid,
    /// `KVM_SET_CPUID2`
    SetCpuid,
    /// `KVM_GET_SREGS`
    Sregs,
    /// `KVM_RUN`
    Run,
}

impl Call {
    /// All of them, in the order in which a virtual machine is made and run.
    #[cfg(test)]
    pub(crate) const ALL: [Call; 10] = [
        Call::Open,
        Call::Version,
        Call::Extension,
        Call::CreateVm,
        Call::Memory,
        Call::CreateVcpu,
        Call::SupportedCpuid,
        Call::SetCpuid,
        Call::Sregs,
        Call::Run,
    ];

    /// The name in the kernel's documentation.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Call::Open => "opening /dev/kvm",
            Call::Version => "KVM_GET_API_VERSION",
            Call::Extension => "KVM_CHECK_EXTENSION",
            Call::CreateVm => "KVM_CREATE_VM",
            Call::Memory => "KVM_SET_USER_MEMORY_REGION",
            Call::CreateVcpu => "KVM_CREATE_VCPU",
            Call::SupportedCpuid => "KVM_GET_SUPPORTED_CPUID",
            Call::SetCpuid => "KVM_SET_CPUID2",
            Call::Sregs => "KVM_GET_SREGS",
            Call::Run => "KVM_RUN",
        }
    }
}

/// What lets requests fail that would come through: nothing, outside tests.
pub(crate) trait Weather {
    /// With which number this request fails before the kernel hears of it.
    fn strikes(&mut self, call: Call) -> Option<i32>;
}

/// All requests reach the kernel.
pub(crate) struct Calm;

impl Weather for Calm {
    fn strikes(&mut self, _: Call) -> Option<i32> {
        None
    }
}

/// Whoever makes requests.
pub(crate) struct Calls {
    weather: Box<dyn Weather>,
    /// How often a request was repeated.
    pub(crate) repeated: u64,
}

/// How often one request is repeated. A signal comes between now and then, and a kernel that is short of something may
/// have it soon; one that says so for ever has failed.
const PATIENCE: u32 = 10_000;

impl Calls {
    pub(crate) fn new(weather: Box<dyn Weather>) -> Calls {
        Calls { weather, repeated: 0 }
    }

    /// Makes a request, and makes it again when a signal came between (EINTR) or the kernel asks for it (EAGAIN).
    ///
    /// # Errors
    /// If it fails otherwise, or too often.
    pub(crate) fn make<T>(
        &mut self,
        call: Call,
        mut request: impl FnMut() -> Result<T, kvm_ioctls::Error>,
    ) -> Result<T, KvmError> {
        let mut left = PATIENCE;
        loop {
            let answer = match self.weather.strikes(call) {
                Some(number) => Err(kvm_ioctls::Error::new(number)),
                None => request(),
            };
            match answer {
                Ok(answer) => return Ok(answer),
                Err(error) if left > 0 && [libc::EINTR, libc::EAGAIN].contains(&error.errno()) => {
                    left -= 1;
                    self.repeated += 1;
                }
                Err(error) if call == Call::Open => return Err(KvmError::open(Errno(error.errno()))),
                Err(error) => {
                    return Err(KvmError::Call {
                        call: call.name(),
                        error: Errno(error.errno()),
                    });
                }
            }
        }
    }
}
