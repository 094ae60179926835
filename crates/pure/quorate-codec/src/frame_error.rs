use quorate_core::{EntryId, Term, Vlsn};

/// Why bytes are not the frames that they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The bytes end before the frame does, or there are none.
    #[error("the bytes end within a frame: {needed} bytes are needed, {found} are left")]
    Truncated {
        /// Bytes that the header, or the payload that it announces, takes.
        needed: usize,
        /// Bytes that are left for it.
        found: usize,
    },
    /// The frame has a format that this version does not know. Zero-filled space says version 0.
    #[error("frame format {found} is unknown to this version: run a version that knows it on every node")]
    Version {
        /// The format's version.
        found: u8,
    },
    /// The kind of entry is unknown.
    #[error("entry kind {found} is unknown to this version")]
    Kind {
        /// The kind's code.
        found: u8,
    },
    /// A flag is set that means nothing, or the reserved byte is not zero.
    #[error("frame flags {found:#06x} are unknown to this version")]
    Flags {
        /// The flags in the low byte, the reserved byte above it.
        found: u16,
    },
    /// The payload, or the whole run of frames, is longer than it may be.
    #[error("{length} bytes are announced or given, the limit is {limit}")]
    Oversized {
        /// The length in bytes.
        length: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The frame's VLSN is 0 or the largest number: no log has that position.
    #[error("no log has an entry at VLSN {number}")]
    Position {
        /// The VLSN as a number.
        number: u64,
    },
    /// The frame names no term.
    #[error("the frame at {vlsn} names no term")]
    TermZero {
        /// The position that the frame names.
        vlsn: Vlsn,
    },
    /// The header is damaged, or the frame does not follow the one before it: it stood elsewhere, or in
    /// another log.
    #[error("the header of the frame at {vlsn} is damaged or belongs behind another frame")]
    HeaderChecksum {
        /// The position that the header names; it may itself be what is damaged.
        vlsn: Vlsn,
    },
    /// The header is good and the payload is not.
    #[error("the payload of entry {id} is damaged")]
    PayloadChecksum {
        /// Which entry it is.
        id: EntryId,
    },
    /// The VLSN is not the one that comes next.
    #[error("entry {expected} comes next, not {found}")]
    OutOfOrder {
        /// The position that comes next.
        expected: Vlsn,
        /// The position found.
        found: Vlsn,
    },
    /// The term is below the one before it.
    #[error("entry {vlsn} is of term {found}, behind an entry of term {term_min}")]
    TermDecreased {
        /// The entry's position.
        vlsn: Vlsn,
        /// The lowest term that may stand there.
        term_min: Term,
        /// The entry's term.
        found: Term,
    },
}
