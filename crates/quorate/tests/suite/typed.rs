use crate::group::{Group, LONG};
use quorate::{
    ConsistencyPolicy, Database, DecodeError, KeyError, Outcome, ReadError, ReplicatedEnvironment, WriteError,
};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    item: String,
    count: u32,
}

/// What an [`Order`] may become later.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct OrderWithNote {
    item: String,
    count: u32,
    #[serde(default)]
    note: Option<String>,
}

fn order(count: u32) -> Order {
    Order { item: "apples".to_owned(), count }
}

fn orders(node: &ReplicatedEnvironment) -> Database<u64, Order> {
    node.database("orders").unwrap()
}

/// Signed keys whose encodings sort as they do.
fn fill(group: &Group, keys: impl IntoIterator<Item = i32>) -> Database<i32, u32> {
    let squares = group.node(group.master()).database::<i32, u32>("squares").unwrap();
    let writes: Vec<_> = keys.into_iter().map(|key| squares.put(&key, &key.unsigned_abs().pow(2))).collect();
    writes.into_iter().for_each(|write| drop(write.wait().unwrap()));
    squares
}

#[test]
fn what_one_node_puts_every_node_gets_by_the_same_types() {
    let group = Group::start(3);
    let here = orders(group.node(group.master()));
    let token = here.put(&42, &order(3)).wait().unwrap().token;
    here.put(&43, &order(4)).wait().unwrap();
    for node in group.running() {
        let seen = ConsistencyPolicy::CommitPointConsistency { token, timeout: LONG };
        node.read(seen).wait().unwrap();
        assert_eq!(orders(node).get(&42, seen).unwrap(), Some(order(3)));
        assert_eq!(orders(node).get(&7, seen).unwrap(), None);
    }
    here.delete(&42).wait().unwrap();
    assert_eq!(here.get(&42, None).unwrap(), None);
    assert_eq!(here.get(&43, None).unwrap(), Some(order(4)));
}

#[test]
fn a_scan_gives_the_rows_of_its_range_in_the_order_of_the_keys_and_backwards() {
    let group = Group::start(1);
    let squares = fill(&group, -600..600);
    let keys = |rows: quorate::TypedRows<i32, u32>| rows.map(|row| row.unwrap().0).collect::<Vec<_>>();
    assert_eq!(keys(squares.scan(.., None).unwrap()), (-600..600).collect::<Vec<_>>());
    assert_eq!(keys(squares.scan(-3..2, None).unwrap()), [-3, -2, -1, 0, 1]);
    assert_eq!(keys(squares.scan(-3..=2, None).unwrap()), [-3, -2, -1, 0, 1, 2]);
    assert_eq!(keys(squares.scan(597.., None).unwrap()), [597, 598, 599]);
    assert_eq!(keys(squares.scan(..-598, None).unwrap()), [-600, -599]);
    assert_eq!(keys(squares.scan(5..5, None).unwrap()), []);
    let back: Vec<_> = squares.scan(-2..3, None).unwrap().rev().map(Result::unwrap).collect();
    assert_eq!(back, [(2, 4), (1, 1), (0, 0), (-1, 1), (-2, 4)]);
    assert_eq!(squares.scan(.., None).unwrap().next_back().unwrap().unwrap(), (599, 599 * 599));
}

#[test]
fn a_scan_from_both_ends_gives_every_row_once() {
    let group = Group::start(1);
    let squares = fill(&group, 0..900);
    for pattern in [0b1_u32, 0b10, 0b1101, 0b1110_0000, 0b0101_1111_0000_1110] {
        let mut rows = squares.bytes().scan(.., None).unwrap();
        let mut expected: VecDeque<_> = squares.scan(.., None).unwrap().map(|row| row.unwrap().0).collect();
        for step in 0..901 {
            let is_back = pattern >> (step % 16) & 1 == 1;
            let (row, key) = if is_back {
                (rows.next_back(), expected.pop_back())
            } else {
                (rows.next(), expected.pop_front())
            };
            let found = row.map(|row| row.unwrap().0);
            assert_eq!(found.as_deref(), key.map(|key| quorate::encode_key(&key)).as_deref());
        }
    }
}

#[test]
fn a_prefix_of_a_tuple_or_a_string_names_the_rows_that_begin_with_it() {
    let group = Group::start(1);
    let node = group.node(0);
    node.wait_for_master(LONG).unwrap();
    let stock = node.database::<(String, u8, u32), ()>("stock").unwrap();
    for shop in ["ant", "ant\0", "antler", "bee"] {
        for key in [(shop, 1, 7), (shop, 255, 1), (shop, 255, 2)] {
            stock.put(&key, &()).wait().unwrap();
        }
    }
    let found: Vec<_> = stock.scan_prefix(&("ant",), None).unwrap().map(|row| row.unwrap().0).collect();
    let ant = |shelf, item| ("ant".to_owned(), shelf, item);
    assert_eq!(found, [ant(1, 7), ant(255, 1), ant(255, 2)]);
    let shelf: Vec<_> = stock.scan_prefix(&("ant", 255), None).unwrap().rev().map(Result::unwrap).collect();
    assert_eq!(shelf, [(ant(255, 2), ()), (ant(255, 1), ())]);
    let names = node.database::<String, u8>("names").unwrap();
    ["a", "an", "ant", "ao"].iter().for_each(|name| drop(names.put(*name, &1).wait().unwrap()));
    let found: Vec<_> = names.scan_prefix("an", None).unwrap().map(|row| row.unwrap().0).collect();
    assert_eq!(found, ["an", "ant"]);
    let raw = names.bytes().scan_prefix(b"an", None).unwrap().count();
    assert_eq!((raw, names.bytes().scan_prefix(&[255], None).unwrap().count()), (2, 0));
}

#[test]
fn a_field_with_a_default_can_be_added_to_a_type_and_taken_away_again() {
    let group = Group::start(1);
    let node = group.node(group.master());
    orders(node).put(&1, &order(3)).wait().unwrap();
    let later = node.database::<u64, OrderWithNote>("orders").unwrap();
    let expected = OrderWithNote { item: "apples".to_owned(), count: 3, note: None };
    assert_eq!(later.get(&1, None).unwrap(), Some(expected));
    let noted = OrderWithNote { item: "apples".to_owned(), count: 4, note: Some("soon".to_owned()) };
    later.put(&2, &noted).wait().unwrap();
    assert_eq!(orders(node).get(&2, None).unwrap(), Some(order(4)));
}

#[test]
fn a_row_of_other_types_is_a_typed_error_that_names_it_and_the_others_follow() {
    let group = Group::start(1);
    let node = group.node(group.master());
    let orders = orders(node);
    orders.put(&1, &order(1)).wait().unwrap();
    orders.bytes().put(&[0, 0, 0, 0, 0, 0, 0, 2], b"no order").wait().unwrap();
    orders.bytes().put(b"\0short", b"").wait().unwrap();
    orders.put(&u64::MAX, &order(4)).wait().unwrap();
    let rows: Vec<_> = orders.scan(.., None).unwrap().collect();
    assert_eq!((&rows[0], &rows[3]), (&Ok((1, order(1))), &Ok((u64::MAX, order(4)))));
    let ReadError::Decode { database, key, error: DecodeError::Value { .. } } = rows[1].as_ref().unwrap_err()
    else {
        panic!("{:?}", rows[1])
    };
    assert_eq!((&**database, &key[..]), ("orders", &[0, 0, 0, 0, 0, 0, 0, 2][..]));
    let refused = orders.get(&2, None).unwrap_err();
    assert_eq!(Err(refused.clone()), rows[1]);
    assert!(refused.to_string().contains(r#"row \x00\x00\x00\x00\x00\x00\x00\x02 of the database "orders""#));
    let wrong_key = rows[2].as_ref().unwrap_err();
    let is_short =
        matches!(wrong_key, ReadError::Decode { error: DecodeError::Key { error: KeyError::Short, .. }, .. });
    assert!(is_short, "{wrong_key:?}");
}

#[test]
fn bytes_behind_a_value_are_not_passed_over() {
    let group = Group::start(1);
    let counts = group.node(group.master()).database::<u8, u8>("counts").unwrap();
    counts.bytes().put(&[1], &[5, 6]).wait().unwrap();
    assert!(matches!(counts.get(&1, None), Err(ReadError::Decode { .. })));
}

#[test]
fn what_has_no_encoding_is_refused_before_anything_is_written() {
    struct Unspeakable;
    impl Serialize for Unspeakable {
        fn serialize<S: serde::Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("it must not be named"))
        }
    }
    impl<'de> Deserialize<'de> for Unspeakable {
        fn deserialize<D: serde::Deserializer<'de>>(_deserializer: D) -> Result<Self, D::Error> {
            Ok(Self)
        }
    }
    let group = Group::start(1);
    let node = group.node(group.master());
    let before = node.stats().commits;
    let things = node.database::<String, Unspeakable>("default").unwrap();
    let error = things.put("thing", &Unspeakable).wait().unwrap_err();
    assert!(matches!(&error, WriteError::ValueEncoding { detail, .. } if detail == "it must not be named"));
    assert_eq!(error.outcome(), Outcome::NotDone);
    let names = node.database::<String, u8>("default").unwrap();
    assert_eq!(names.put("", &1).wait(), Err(WriteError::EmptyKey));
    let long = WriteError::KeyTooLong { bytes: 65_536, limit: 65_530 };
    assert_eq!(names.put(&"k".repeat(65_536), &1).wait(), Err(long));
    assert_eq!(node.stats().commits, before);
}
