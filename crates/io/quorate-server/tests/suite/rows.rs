use crate::common::{Group, complaint};
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_can_be_imported_again_in_every_format() {
    let group = Group::start("").await;
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    fs::create_dir_all(source.join("a")).unwrap();
    fs::write(source.join("a/x"), b"\xff\x00").unwrap();
    fs::write(source.join("b c"), b"text\n").unwrap();
    let source = source.to_str().unwrap();
    group.printed(&["import", source, "-d", "start", "--create"], b"").await;
    let all = group.printed(&["scan", "--json", "-d", "start"], b"").await;
    assert_eq!(all, "{\"key\":\"a/x\",\"value_base64\":\"/wA=\"}\n{\"key\":\"b c\",\"value\":\"text\\n\"}\n");
    for (name, options) in
        [("out.jsonl", &[][..]), ("out.tsv", &["--base64"]), ("out", &["--format", "directory"])]
    {
        let path = folder.path().join(name);
        let path = path.to_str().unwrap();
        group.printed(&[&["export", path, "-d", "start"][..], options].concat(), b"").await;
        let database = format!("from {name}");
        let import = ["import", path, "-d", &database, "--create"];
        group.printed(&[&import[..], options].concat(), b"").await;
        assert_eq!(group.printed(&["scan", "--json", "-d", &database], b"").await, all, "{name}");
        let again = group.command(&[&["export", path, "-d", "start"][..], options].concat(), b"").await;
        assert!(complaint(&again).contains("exists"));
    }
    let raw = group.command(&["export", "-d", "start"], b"").await;
    assert!(complaint(&raw).contains("use --base64, --hex or JSON lines"), "{raw:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_of_rows_with_the_same_key_counts_however_many_write() {
    let group = Group::start("").await;
    let rows: String = (0..5_000).map(|number| format!("k{}\t{number}\n", number % 7)).collect();
    let output = group.command(&["import", "-", "--writers", "32"], rows.as_bytes()).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("5000 rows imported") && !said.contains('\x1b'), "{said}");
    let expected: String =
        (0..7).map(|key| format!("k{key}\t{}\n", (0..5_000).rev().find(|n| n % 7 == key).unwrap())).collect();
    assert_eq!(group.printed(&["scan"], b"").await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_row_is_named_and_those_before_it_are_written() {
    let group = Group::start("").await;
    let text = complaint(&group.command(&["import"], b"a\t1\nb\t2\nc\n").await);
    assert!(text.contains("line 3 has no tab") && text.contains("2 are written"), "{text}");
    assert_eq!(group.printed(&["scan"], b"").await, "a\t1\nb\t2\n");
    let text = complaint(&group.command(&["import", "--format", "jsonl"], b"{\"key\":\"\xff\"}\n").await);
    assert!(text.contains("line 1: "), "{text}");
    let missing = complaint(&group.command(&["import", "/no/such/file"], b"").await);
    assert!(missing.contains("/no/such/file"), "{missing}");
}
