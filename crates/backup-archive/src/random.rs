//! Random bytes of the operating system.

use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Unspecified> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(bytes)
}

pub(crate) fn secret<const N: usize>() -> Result<Zeroizing<[u8; N]>, Unspecified> {
    let mut secret = Zeroizing::new([0; N]);
    SystemRandom::new().fill(&mut *secret)?;
    Ok(secret)
}
