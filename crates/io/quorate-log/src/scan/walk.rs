use super::{Contents, Follows, Scan};
use crate::damage;
use crate::group_header::{GROUP_HEADER_BYTES, GroupHeader};
use crate::segment_header::{SEGMENT_HEADER_BYTES, SegmentHeader};
use quorate_codec::{HEADER_BYTES, Header};
use quorate_core::{DamagedRange, Term, Vlsn};
use quorate_vlsn::DenseIndex;

/// What became of one frame.
enum Verdict {
    Good(Header),
    /// The header is good, so that the entry still names itself.
    PayloadDamaged(Header),
    Unreadable,
}

/// The last entry that names itself.
#[derive(Clone, Copy)]
struct Named {
    vlsn: Option<Vlsn>,
    term: Term,
    chain: u32,
}

/// Goes through the groups of a segment in order.
pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    segment_bytes: usize,
    durable: Option<Vlsn>,
    follows: Option<Follows>,
    index: DenseIndex,
    terms: Vec<(Term, Vlsn)>,
    damaged: Vec<DamagedRange>,
    /// The last damaged range goes up to the present end.
    damage_open: bool,
    named: Named,
    /// Header checksum of the frame before the next one, unless damage hides it.
    chain: Option<u32>,
    end: usize,
    /// The last entries were found behind `end`, where the header of their group is lost.
    headless: bool,
    /// The last group taken does not hold what its header announces.
    partial: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        contents: &'a Contents,
        header: &SegmentHeader,
        durable: Option<Vlsn>,
        follows: Option<Follows>,
    ) -> Self {
        let before =
            Named { vlsn: header.first.previous(), term: header.term_before, chain: header.chain_before };
        Self {
            bytes: &contents.bytes,
            segment_bytes: contents.segment_bytes,
            durable,
            follows,
            index: DenseIndex::new(header.first),
            terms: Vec::new(),
            damaged: Vec::new(),
            damage_open: false,
            named: before,
            chain: Some(header.chain_before),
            end: SEGMENT_HEADER_BYTES,
            headless: false,
            partial: false,
        }
    }

    /// Where the next group goes: at the segment's end if a last one fills it but for the alignment.
    pub(super) fn end(&self) -> usize {
        self.end.min(self.segment_bytes)
    }

    /// Takes in a group. False if the log ends before it; `None` if the entries cannot be counted any more.
    pub(super) fn take(&mut self, group: &GroupHeader) -> Option<bool> {
        if self.is_complete() {
            return Some(false);
        }
        if group.first > self.next() {
            if !self.was_durable(self.next()) {
                return Some(false);
            }
            self.salvage(group)?;
        }
        let follows_chain = self.chain.is_none_or(|chain| chain == group.chain_before);
        if group.first != self.next() || !follows_chain {
            return self.take_stranger(group);
        }
        let verdicts = self.judge(group);
        let whole = verdicts.len() == group.count as usize
            && verdicts.iter().all(|(_, verdict)| matches!(verdict, Verdict::Good(_)));
        if !whole && !self.was_durable(group.first) {
            return Some(false);
        }
        self.chain = Some(group.chain_before);
        for (offset, verdict) in verdicts {
            if self.is_complete() {
                break;
            }
            self.note(offset, verdict)?;
        }
        self.end = group.end();
        self.headless = false;
        self.partial = !whole;
        Some(true)
    }

    /// A group that does not follow: no part of the log, unless its place had been durable.
    fn take_stranger(&mut self, group: &GroupHeader) -> Option<bool> {
        if !self.was_durable(self.next()) {
            return Some(false);
        }
        let mut offset = group.frames_at();
        while self.next() < group.next() && !self.is_complete() {
            self.note(offset, Verdict::Unreadable)?;
            offset += 1;
        }
        self.end = group.end();
        self.headless = false;
        Some(true)
    }

    /// Durable entries stand before `group`, and the group header before them is lost: takes those that
    /// still follow the chain. `None` if there is no room for so many.
    fn salvage(&mut self, group: &GroupHeader) -> Option<()> {
        let mut offset = self.end + GROUP_HEADER_BYTES;
        while self.next() < group.first && !self.is_complete() {
            if offset >= group.offset as usize {
                return None;
            }
            self.headless = true;
            match self.chain.and_then(|chain| self.frame(offset, self.next(), chain, self.named.term)) {
                Some((header, payload_good)) if offset + header.frame_bytes() <= group.offset as usize => {
                    self.note(offset, verdict(header, payload_good))?;
                    offset += header.frame_bytes();
                }
                _ => {
                    self.chain = None;
                    self.note(offset, Verdict::Unreadable)?;
                    offset += 1;
                }
            }
        }
        Some(())
    }

    fn judge(&self, group: &GroupHeader) -> Vec<(usize, Verdict)> {
        let mut verdicts = Vec::new();
        let mut offset = group.frames_at();
        let mut chain = (!group.missing).then_some(group.chain_before);
        let mut term = self.named.term;
        for index in 0..group.count {
            let vlsn = group.first.advance(index.into());
            let limit = group.frames_at() + group.bytes as usize;
            match chain.and_then(|chain| self.frame(offset, vlsn, chain, term)) {
                Some((header, payload_good)) if offset + header.frame_bytes() <= limit => {
                    verdicts.push((offset, verdict(header, payload_good)));
                    offset += header.frame_bytes();
                    chain = Some(header.checksum);
                    term = header.id.term;
                }
                _ if offset < limit => {
                    verdicts.push((offset, Verdict::Unreadable));
                    offset += 1;
                    chain = None;
                }
                _ => break,
            }
        }
        verdicts
    }

    /// The header of the frame at `offset`, if it is the one of `vlsn`, and whether its payload is good.
    fn frame(&self, offset: usize, vlsn: Vlsn, chain: u32, term_min: Term) -> Option<(Header, bool)> {
        let bytes = self.bytes.get(offset..)?;
        let header = Header::parse(bytes).ok()?;
        header.verify_chain(bytes, chain).ok()?;
        if header.id.vlsn != vlsn || header.id.term < term_min {
            return None;
        }
        let payload = bytes.get(HEADER_BYTES..header.frame_bytes())?;
        Some((header, header.verify_payload(payload).is_ok()))
    }

    fn note(&mut self, offset: usize, verdict: Verdict) -> Option<()> {
        let vlsn = self.next();
        match verdict {
            Verdict::Good(header) => {
                self.close_damage();
                self.name(vlsn, header);
            }
            Verdict::PayloadDamaged(header) => {
                self.damage(vlsn);
                self.name(vlsn, header);
            }
            Verdict::Unreadable => {
                self.damage(vlsn);
                self.chain = None;
            }
        }
        let increases = self
            .index
            .last()
            .and_then(|last| self.index.offset(last))
            .is_none_or(|last| (last as usize) < offset);
        if !increases || offset >= u32::MAX as usize {
            return None;
        }
        self.index.push(offset as u32);
        Some(())
    }

    fn name(&mut self, vlsn: Vlsn, header: Header) {
        if self.terms.is_empty() || header.id.term > self.named.term {
            self.terms.push((header.id.term, Vlsn::after(self.named.vlsn)));
        }
        self.named = Named { vlsn: Some(vlsn), term: header.id.term, chain: header.checksum };
        self.chain = Some(header.checksum);
    }

    fn damage(&mut self, vlsn: Vlsn) {
        match self.damaged.last_mut() {
            Some(range) if self.damage_open => range.last = vlsn,
            _ => self.damaged.push(DamagedRange {
                first: vlsn,
                last: vlsn,
                chain_before: self.named.chain,
                chain_after: None,
            }),
        }
        self.damage_open = true;
    }

    /// What comes next is good, and `chain` is its seed.
    fn close_damage(&mut self) {
        if let Some(range) = self.damaged.last_mut().filter(|_| self.damage_open) {
            range.chain_after = self.chain;
        }
        self.damage_open = false;
    }

    /// The scan's result; the headers of the groups taken say that entries up to `stated` had been durable.
    pub(super) fn finish(mut self, stated: Option<Vlsn>, scan: Scan) -> Option<Scan> {
        let lost_durable_end = match self.follows {
            Some(follows) => {
                self.finish_before(follows)?;
                false
            }
            None => self.finish_open(),
        };
        let damaged_unstated = self.damaged.last().is_some_and(|range| Some(range.last) > stated);
        let partial_unstated = self.partial && self.index.last() > stated;
        Some(Scan {
            end: self.end(),
            leans_on_rest: self.headless || damaged_unstated || partial_unstated,
            index: self.index,
            terms: self.terms,
            damaged: self.damaged,
            chain: self.named.chain,
            lost_durable_end,
            ..scan
        })
    }

    /// The end is known: what is missing before it is damaged.
    fn finish_before(&mut self, follows: Follows) -> Option<()> {
        let mut offset = self.end;
        while !self.is_complete() {
            self.note(offset, Verdict::Unreadable)?;
            offset += 1;
        }
        let Some(last) = self.index.last() else { return Some(()) };
        if !self.damage_open && self.named.chain != follows.chain_before {
            let chain_before = self.chain_before(last)?;
            damage::add(
                &mut self.damaged,
                DamagedRange { first: last, last, chain_before, chain_after: None },
            );
            self.damage_open = true;
        }
        self.chain = Some(follows.chain_before);
        self.close_damage();
        if self.terms.is_empty() || follows.term_before > self.named.term {
            self.terms.push((follows.term_before, Vlsn::after(self.named.vlsn)));
        }
        self.named = Named { vlsn: Some(last), term: follows.term_before, chain: follows.chain_before };
        Some(())
    }

    /// The log ends with the last entry that names itself. True if more had been durable.
    fn finish_open(&mut self) -> bool {
        let end = self.named.vlsn;
        let lost = self.index.last() > end || self.durable > end;
        self.index.truncate_after(end);
        self.damaged.retain(|range| Some(range.first) <= end);
        if let Some(range) = self.damaged.last_mut().filter(|_| self.damage_open)
            && Some(range.last) >= end
        {
            range.last = end.unwrap_or(range.first);
            range.chain_after = Some(self.named.chain);
        }
        lost
    }

    /// The seed of an entry that stands in this segment.
    fn chain_before(&self, vlsn: Vlsn) -> Option<u32> {
        let bytes = self.bytes.get(self.index.offset(vlsn)? as usize..)?;
        Header::parse(bytes).ok()?.chain_before(bytes).ok()
    }

    fn next(&self) -> Vlsn {
        self.index.next()
    }

    fn was_durable(&self, vlsn: Vlsn) -> bool {
        Some(vlsn) <= self.durable
    }

    /// Whether all entries that belong here have been seen.
    fn is_complete(&self) -> bool {
        self.follows.is_some_and(|follows| self.next() >= follows.first)
    }
}

const fn verdict(header: Header, payload_good: bool) -> Verdict {
    if payload_good { Verdict::Good(header) } else { Verdict::PayloadDamaged(header) }
}
