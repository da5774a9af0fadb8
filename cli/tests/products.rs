//! `trapeze products`, and policies of one's own.

mod common;

use common::{folder, json, repository, run};
use serde_json::Value;

/// The worth of a method to a product, from the runs of its policies: the answer that the lecture's table gives.
fn answer(object: &Value, product: &str, method: &str) -> &'static str {
    let policies = object["policies"].as_array().expect("an array");
    let own = policies.iter().filter(|one| one["policy"]["product"] == product);
    let served: Vec<&Value> = own
        .flat_map(|one| one["without"].as_array().expect("an array"))
        .filter(|without| without["method"] == method && without["tick"] == true)
        .collect();
    match served.iter().any(|without| without["serves"] == "kernel") {
        true => "yes",
        false if served.is_empty() => "no",
        false => "partly",
    }
}

#[test]
fn the_products_table_is_that_of_the_lecture() {
    let data = std::fs::read_to_string(repository("vmm-core/data/published.toml")).expect("it ships");
    let data: toml::Table = data.parse().expect("it is TOML");
    let table = data["lecture_product_table"].as_table().expect("a table");
    let object = json(&["products"]);
    let methods = [
        ("binary_translation", "binary_translation"),
        ("paravirtual", "paravirtualization"),
        ("hardware", "hardware_assistance"),
    ];
    for (product, name) in [("ESX", "esx"), ("Hyper-V", "hyperv"), ("Xen", "xen")] {
        for (column, method) in methods {
            let said = match &table[name][column] {
                toml::Value::Boolean(true) => "yes",
                toml::Value::Boolean(false) => "no",
                // ESX had a paravirtual interface, which later versions do not.
                toml::Value::String(text) if text == "no longer" => "no",
                toml::Value::String(text) if text == "partly" => "partly",
                other => panic!("{other}"),
            };
            assert_eq!(answer(&object, product, method), said, "{product} {method}");
        }
    }
    assert_eq!(answer(&object, "QEMU", "emulation"), "yes");
    assert_eq!(answer(&object, "PVM", "paravirtualization"), "yes");
}

#[test]
fn the_table_says_why_a_product_fails_without_a_method() {
    let done = run(&["products", "work-syscalls"]);
    assert_eq!(done.code, 0, "{}", done.err);
    for part in [
        "Hyper-V –",
        "fails without",
        "`csrw status` (POPF of x86)",
        "1.1 times as long",
    ] {
        let words = done.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(part), "{part}: {}", done.out);
    }
    assert!(
        done.out.lines().all(|line| line.chars().count() <= 80),
        "{}",
        done.out
    );
}

#[test]
fn a_policy_of_ones_own_is_run_and_its_mistakes_are_told() {
    let policy = |text: &str| {
        let path = folder("cli-policy", &[("policy.toml", text)]).join("policy.toml");
        let done = run(&["run", "work-disk", "--policy", &path.to_string_lossy()]);
        (done.code, done.out + &done.err)
    };
    let good = "
        name = \"Translation with a ported disk\"
        product = \"mine\"
        source = \"me\"
        machine = \"leaky\"
        kernel = \"translate\"
        user = \"direct\"
        pages = \"shadow\"
        timer = \"emulated\"
        console = \"emulated\"
        disk = \"paravirtual\"
    ";
    let (code, out) = policy(good);
    assert_eq!(code, 0, "{out}");
    assert!(
        out.contains("connect_ring 1") && out.contains("under translate"),
        "{out}"
    );
    let (code, out) = policy(&good.replace("shadow", "nested"));
    assert_eq!(code, 10, "{out}");
    assert!(out.contains("no monitor does this"), "{out}");
    let (code, out) = policy(&good.replace("kernel", "colonel"));
    assert!(code == 10 && out.contains("colonel"), "{out}");
    let none = run(&["run", "red-pill", "--policy", "xen-pv"]);
    assert!(
        none.code == 10 && none.err.contains("[guest.port]"),
        "{}",
        none.err
    );
}
