use std::path::Path;

/// What a run of callgrind counted, as far as it does not depend on the processor.
///
/// The C library chooses the variants of its functions by the processor it finds, so that its instructions differ from
/// machine to machine. They are left out, and the calls of it are counted instead: allocating and copying still show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// Instructions of the program itself, what is linked into it included.
    pub(super) instructions: u64,
    /// Calls from the program into shared libraries. callgrind counts those of a whole run, whether it counts
    /// instructions at the time or not.
    pub(super) calls: u64,
}

/// What is called on the way to where counting begins.
const START: &str = "__libc_start_main";

impl Cost {
    /// Reads what callgrind writes with `--compress-strings=no --compress-pos=no`, of a program whose file is named
    /// `program`.
    ///
    /// # Errors
    /// A sentence, if the text is not that or its costs do not add up to the total that it names.
    pub(super) fn parse(text: &str, program: &str) -> Result<Self, String> {
        let mut reader = Reader::new(program);
        for (line, number) in text.lines().zip(1..) {
            reader.read(line).ok_or_else(|| format!("line {number} is unknown: {line:?}"))?;
        }
        match reader.total {
            Some(total) if total == reader.counted => Ok(reader.cost),
            Some(total) => Err(format!("its costs add up to {}, and it says {total}", reader.counted)),
            None => Err("it ends before its total: was the program killed?".to_owned()),
        }
    }

    /// What this has more than `less`; `None` if it has less of anything.
    pub(super) fn checked_sub(self, less: Self) -> Option<Self> {
        let instructions = self.instructions.checked_sub(less.instructions)?;
        Some(Self { instructions, calls: self.calls.checked_sub(less.calls)? })
    }
}

/// Where in the text the reader is.
struct Reader<'a> {
    program: &'a str,
    cost: Cost,
    /// Instructions of all objects.
    counted: u64,
    total: Option<u64>,
    /// The function whose lines follow is the program's.
    is_in_program: bool,
    /// The function that is called next is in another object than its caller.
    leaves_object: bool,
    callee: &'a str,
    /// The next line is what a call cost, which the lines of the function called count already.
    is_call: bool,
}

impl<'a> Reader<'a> {
    const fn new(program: &'a str) -> Self {
        Self {
            program,
            cost: Cost { instructions: 0, calls: 0 },
            counted: 0,
            total: None,
            is_in_program: false,
            leaves_object: false,
            callee: "",
            is_call: false,
        }
    }

    /// `None` for a line that callgrind does not write.
    fn read(&mut self, line: &'a str) -> Option<()> {
        if line.starts_with(|first: char| first.is_ascii_digit()) {
            return self.read_cost(line);
        }
        let Some((key, value)) = line.split_once(['=', ':']) else {
            return (line.is_empty() || line.starts_with('#')).then_some(());
        };
        match key {
            "ob" => {
                self.is_in_program = Path::new(value).file_name().is_some_and(|name| name == self.program)
            }
            "cob" => self.leaves_object = true,
            "cfn" => self.callee = value,
            "calls" => self.read_calls(value)?,
            "totals" => self.total = Some(value.trim().parse().ok()?),
            _ => {}
        }
        Some(())
    }

    fn read_calls(&mut self, value: &str) -> Option<()> {
        let calls: u64 = value.split_whitespace().next()?.parse().ok()?;
        if self.is_in_program && self.leaves_object && !self.callee.starts_with(START) {
            self.cost.calls += calls;
        }
        self.leaves_object = false;
        self.is_call = true;
        Some(())
    }

    fn read_cost(&mut self, line: &str) -> Option<()> {
        let cost: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        if std::mem::take(&mut self.is_call) {
            return Some(());
        }
        self.counted += cost;
        if self.is_in_program {
            self.cost.instructions += cost;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
# callgrind format
version: 1
cmd:  target/counted/quorate-guard vlsn/append
desc: Trigger: Program termination

positions: line
events: Ir
summary: 153

ob=/target/counted/quorate-guard
fl=???
fn=(below main)
cob=/usr/lib/libc.so.6
cfi=???
cfn=__libc_start_main@@GLIBC_2.34
calls=1 0
0 153

fl=src/main.rs
fn=quorate_guard::counted
40 7
cfn=<quorate_guard::vlsn::Append as quorate_guard::workload::Workload>::run
calls=1 30
41 146

fn=<quorate_guard::vlsn::Append as quorate_guard::workload::Workload>::run
30 90
fi=core/cmp.rs
12 10
fe=src/main.rs
cob=/usr/lib/libc.so.6
cfi=malloc.c
cfn=malloc
calls=2 0
31 40
cob=/usr/lib/libc.so.6
cfi=string.c
cfn=__memcpy_avx_unaligned_erms
calls=3 0
32 6

ob=/usr/lib/libc.so.6
fl=malloc.c
fn=malloc
100 30
cfn=_int_malloc
calls=2 200
101 10

fn=_int_malloc
200 10

fl=string.c
fn=__memcpy_avx_unaligned_erms
300 6

totals: 153
";

    #[test]
    fn the_programs_own_instructions_are_counted_and_its_calls_of_libraries() {
        assert_eq!(Cost::parse(SAMPLE, "quorate-guard"), Ok(Cost { instructions: 107, calls: 5 }));
    }

    #[test]
    fn what_twice_takes_more_than_once_is_a_cost() {
        let (once, twice) = (Cost { instructions: 10, calls: 3 }, Cost { instructions: 19, calls: 4 });
        assert_eq!(twice.checked_sub(once), Some(Cost { instructions: 9, calls: 1 }));
        assert_eq!(once.checked_sub(twice), None);
    }

    #[test]
    fn a_text_that_ends_early_or_does_not_add_up_is_refused() {
        let early = SAMPLE.replace("totals: 153\n", "");
        assert!(Cost::parse(&early, "quorate-guard").unwrap_err().contains("ends before its total"));
        let wrong = SAMPLE.replace("30 90", "30 91");
        assert!(Cost::parse(&wrong, "quorate-guard").unwrap_err().contains("add up to 154"));
    }

    #[test]
    fn a_line_that_callgrind_does_not_write_is_named() {
        let strange = SAMPLE.replace("200 10", "two hundred");
        assert!(Cost::parse(&strange, "quorate-guard").unwrap_err().contains("two hundred"));
    }
}
