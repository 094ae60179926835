//! What `--help` says behind the options.

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed: stderr says why, and what to do
  2  the command line is wrong
  3  there is no such key or database
  4  the outcome of a write is unknown: it may or may not be done
  5  no node could do it in time; nothing was done
  6  an expectation of a transaction does not hold; nothing was done
  7  the commit of a token is lost
  8  a log is damaged

A write is done exactly once, however often it had to be sent. Results go to stdout, all else to stderr.
Where keys and values are printed as they are, any byte can be among them: --hex, --base64 or --json keep them
apart.";

pub(super) const PUT: &str = "\
Examples:
  quorate put apples 3
  quorate put --endpoints node1:14101,node2:14101 --database stock --create apples 3
  quorate put photo < photo.jpg
  quorate put --hex 00ff 01020304
  token=$(quorate put apples 4); quorate get apples --consistency token:$token";

pub(super) const GET: &str = "\
It prints the value byte for byte; a line break follows on a terminal, and with --hex, --base64 and --json.

Examples:
  quorate get apples
  quorate get photo > photo.jpg
  quorate get apples --consistency any --json";

pub(super) const DEL: &str = "\
Examples:
  quorate del apples
  quorate del --base64 AP8=";

pub(super) const SCAN: &str = "\
Rows are printed as they come; all of them show one moment. If the node is lost on the way another one goes
on; stderr says so where the rest then shows a later moment.

Examples:
  quorate scan --prefix order/ --limit 10
  quorate scan --start a --end b --reverse
  quorate scan --json | jq -r .key";

pub(super) const TXN: &str = "\
A script has a command per line; empty lines and those that begin with # are skipped:

  use NAME            the lines that follow concern this database
  get KEY             print key and value, or the key alone if it is not there
  put KEY VALUE       set a key
  del KEY             remove a key
  add KEY NUMBER      add to the number that the value is (0 if there is none), and print the sum
  expect KEY VALUE    nothing is done unless the key has this value
  absent KEY          nothing is done unless the key is not there
  scan PREFIX         print key and value of all keys that begin so; \"\" is all there are

Words are separated by spaces. A word in double quotes may hold any character; in it \\n, \\t, \\r, \\\\, \\\"
and \\xNN stand for what they usually do. The commands run in order and see what those before them have done.
What is printed, and the token at last, is of the one time that the transaction took effect.

Examples:
  printf 'expect owner alice\\nput owner bob\\nadd changes 1\\n' | quorate txn
  quorate txn --file transfer.txt --json";

pub(super) const IMPORT: &str = "\
Each write is done exactly once; several rows go together. Of rows with the same key the last one counts. If
the import ends early, some rows are written: importing again sets them anew.

Examples:
  quorate import photos/ --database photos --create
  quorate import stock.tsv
  zcat stock.jsonl.gz | quorate import - --format jsonl";

pub(super) const EXPORT: &str = "\
All rows show one moment, but for what `quorate scan --help` says. TSV takes no key with a tab and nothing with a line break: use --base64, --hex or
JSON lines for those.

Examples:
  quorate export stock.jsonl
  quorate export --database photos --format directory photos/
  quorate export - --format tsv | sort";

pub(super) const STATUS: &str = "\
LAG is how many entries a node's log lies behind the master's. SINCE is how long the node has been in its
state.

Examples:
  quorate status
  quorate status --watch
  quorate status --json | jq '.[] | select(.state == \"master\") | .node'";

pub(super) const LOG: &str = "\
Examples:
  quorate log dump /var/lib/quorate/node1 --from 1000 --limit 10
  quorate log verify /var/lib/quorate/node1";

pub(super) const COMPLETIONS: &str = "\
Examples:
  quorate completions bash > /etc/bash_completion.d/quorate
  quorate completions fish > ~/.config/fish/completions/quorate.fish";
