//! Why keys are refused, and why sealing or opening fails.

use std::io;
use std::path::PathBuf;

use crate::KeyFileError;

/// Why a recipient, an identity or a passphrase is refused. No message repeats what was given: it may be a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file that holds it cannot be used.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// Not of the form `age1…`, or mistyped: its checksum does not fit.
    #[error("this is not an age recipient (age1…)")]
    NotARecipient,
    /// An identity where a recipient is expected.
    #[error("this is a secret identity, not a recipient: recipients begin with age1")]
    SecretAsRecipient,
    /// A recipient that only other programs know: a plugin's, or an SSH key.
    #[error("recipients of this kind ({kind}) are not supported: use an X25519 recipient (age1…)")]
    UnsupportedRecipient {
        /// Which kind.
        kind: &'static str,
    },
    /// Not of the form `AGE-SECRET-KEY-1…`, or mistyped: its checksum does not fit.
    #[error("this is not an age identity (AGE-SECRET-KEY-1…)")]
    NotAnIdentity,
    /// An identity that only other programs know.
    #[error(
        "identities of this kind ({kind}) are not supported: use an X25519 identity (AGE-SECRET-KEY-1…)"
    )]
    UnsupportedIdentity {
        /// Which kind.
        kind: &'static str,
    },
    /// A line of a list is refused.
    #[error("line {number}")]
    Line {
        /// Which line, from 1 on.
        number: usize,
        /// Why.
        source: Box<KeyError>,
    },
    /// A key file is refused.
    #[error("cannot use {}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<KeyError>,
    },
    /// A list without keys.
    #[error("there are no keys in it")]
    NoKeys,
    /// A passphrase of no characters.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// A passphrase file of more than one line.
    #[error("a passphrase is one line")]
    SeveralLines,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Randomness,
}

/// Why a file cannot be sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Nobody could open it.
    #[error("there are no recipients")]
    NoRecipients,
    /// A key to which nothing can be sealed secretly.
    #[error("the recipient {recipient} is no usable key")]
    WeakRecipient {
        /// The key, which is public.
        recipient: String,
    },
    /// So many that the header would not be read again.
    #[error("more than {max} recipients")]
    TooManyRecipients {
        /// How many there may be.
        max: usize,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Randomness,
    /// The header cannot be written.
    #[error("cannot write the header of the sealed file")]
    Sink(#[source] io::Error),
    /// A thread cannot be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

/// Why a sealed file, or a part of it, cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnsealError {
    /// The file cannot be read.
    #[error("cannot read the sealed file")]
    Io(#[source] io::Error),
    /// The file does not begin as sealed ones do.
    #[error("this is not a sealed file")]
    NotSealed,
    /// Sealed, but as text.
    #[error("the sealed file is text (armoured): convert it with `age --decrypt` first")]
    Armored,
    /// Sealed in a version of the format that is not known here.
    #[error("the sealed file has a version of the age format that is not known here")]
    UnsupportedVersion,
    /// The header is damaged, or somebody changed it.
    #[error("the header of the sealed file is damaged: {what}")]
    DamagedHeader {
        /// What about it.
        what: &'static str,
    },
    /// More than the reader was told to accept.
    #[error("the sealed file has a {what} of {value}, more than the limit of {max}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// What the file claims.
        value: u64,
        /// The limit.
        max: u64,
    },
    /// Sealed with a passphrase, and none was given.
    #[error("the file is sealed with a passphrase, and none was given")]
    NeedsPassphrase,
    /// None of the passphrases given opens it.
    #[error("the passphrase does not open the file")]
    WrongPassphrase,
    /// Sealed for recipients, and no identity was given.
    #[error("the file is sealed for {recipients} recipient(s), and no identity was given")]
    NeedsIdentity {
        /// Recipients of the kinds that are known here.
        recipients: usize,
    },
    /// None of the identities given belongs to a recipient. Damage of a recipient's part of the header looks the same.
    #[error(
        "none of the {given} identities given opens the file, which is sealed for {recipients} recipient(s)"
    )]
    WrongIdentity {
        /// Identities that were tried.
        given: usize,
        /// Recipients of the kinds that are known here.
        recipients: usize,
    },
    /// Cut short: the end is missing, and what is left ends between chunks or too soon for one.
    #[error("the sealed file is cut short after {length} bytes")]
    Truncated {
        /// Length of the sealed file.
        length: u64,
    },
    /// The last chunk is damaged, or the file was cut within a chunk.
    #[error(
        "the end of the sealed file is damaged or missing, from byte {offset} of its content on"
    )]
    DamagedEnd {
        /// Where the chunk begins in the content.
        offset: u64,
    },
    /// A chunk is damaged; the others can be read.
    #[error(
        "the sealed file is damaged: {length} bytes of its content from byte {offset} on are lost"
    )]
    DamagedChunk {
        /// Where the chunk begins in the content.
        offset: u64,
        /// How much content it holds, in bytes.
        length: u64,
    },
}
