use super::*;

#[test]
fn the_shipped_lists_are_valid_and_say_what_is_assumed() {
    let list = PriceList::textbook();
    assert_eq!(list.name, "textbook");
    assert!(list.assumed);
    let processors = PriceList::processors();
    let names: Vec<&str> = processors.iter().map(|list| list.name.as_str()).collect();
    assert_eq!(
        ["textbook"].into_iter().chain(names).collect::<Vec<_>>(),
        PriceList::NAMES
    );
    assert!(processors.is_sorted_by_key(|list| list.year));
    for list in &processors {
        assert!(!list.assumed && !list.source.is_empty(), "{}", list.name);
        assert_eq!(list.figures().len(), PriceList::textbook().figures().len());
        let vm_exit = &list.figures()["vm_exit"];
        assert!(matches!(vm_exit.basis, Basis::Source(_)), "{}", list.name);
        for (name, figure) in list.figures() {
            let (Basis::Source(text) | Basis::Fitted(text)) = &figure.basis else {
                continue;
            };
            assert!(!text.is_empty(), "{name} of {}", list.name);
        }
        assert_eq!(PriceList::shipped(&list.name).expect("it ships"), *list);
    }
    assert!(matches!(PriceList::shipped("8086"), Err(PriceError::Unknown(_))));
}

#[test]
fn an_unknown_price_is_an_error() {
    let text = TEXTBOOK.replace("[event]", "[event]\nmagic = 1");
    assert!(PriceList::parse(&text).unwrap_err().to_string().contains("magic"));
}

#[test]
fn a_price_says_where_it_comes_from() {
    let bare = TEXTBOOK.replace("assumed = true", "assumed = false");
    assert!(matches!(PriceList::parse(&bare), Err(PriceError::Basis(_))));
    let list = |price: &str| {
        let trap = TEXTBOOK
            .lines()
            .find(|line| line.starts_with("trap ="))
            .expect("it has one");
        PriceList::parse(&TEXTBOOK.replace(trap, &format!("trap = {price}")))
    };
    let basis = |price: &str| list(price).expect("a good price").figures()["trap"].basis.clone();
    assert_eq!(
        basis("{ cycles = 7, source = \"a book\" }"),
        Basis::Source("a book".into())
    );
    assert_eq!(
        basis("{ cycles = 7, fitted = \"to it\" }"),
        Basis::Fitted("to it".into())
    );
    assert_eq!(basis("{ cycles = 7, assumed = true }"), Basis::Assumed);
    for bad in [
        "{ cycles = 7 }",
        "{ cycles = 7, source = \"a\", assumed = true }",
        "{ cycles = 7, guess = true }",
        "-1",
        "1_000_001",
        "\"7\"",
    ] {
        assert!(list(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_bill_multiplies_and_adds() {
    let list = PriceList::textbook();
    let mut counts = Counts {
        words: 32,
        ..Counts::default()
    };
    counts.trap(Cause::Illegal);
    counts.trap(Cause::SystemCall(3));
    assert_eq!(list.cycles(&counts), 100 + 100 + 32);
    let dear = list.changed(|name, cycles| if name == "system_call" { 7 } else { cycles });
    assert_eq!(dear.cycles(&counts), 100 + 7 + 32);
    assert_eq!(dear.price("system_call"), 7);
}

#[test]
fn no_bill_is_beyond_all_numbers() {
    let counts = Counts {
        words: u64::MAX,
        device_registers: u64::MAX,
        callouts: 1,
        ..Counts::default()
    };
    assert_eq!(PriceList::textbook().cycles(&counts), u64::MAX);
}
