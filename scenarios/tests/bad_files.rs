//! Files that cannot be read, are too large, or are no images; and how scenarios are found.

mod common;

use std::fs;
use std::time::{Duration, Instant};

use common::{Folder, GOOD, elf};
use scenarios::{Error, Scenario, limit, load_elf, read_limited};

#[test]
fn images_that_are_none_or_do_not_fit_are_refused() {
    let folder = Folder::new("images");
    let good = elf();
    let with = |at: usize, bytes: &[u8]| {
        let mut bad = good.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        bad
    };
    let cases: [(&[u8], &str); 7] = [
        (b"#!/bin/sh\n", "'guest.elf': not an ELF file"),
        (b"", "'guest.elf': not an ELF file"),
        (
            &with(18, &[62, 0]),
            "a program for x86-64 (ELF machine 62): expected RISC-V (243)",
        ),
        (&with(4, &[2]), "a 64-bit ELF file"),
        (&good[..60], "the file is truncated"),
        (&good[..5], "the file is truncated"),
        (
            &with(24, &[0, 0, 0, 0x40]),
            "the entry point 0x40000000 lies outside the memory of 0x400000 bytes",
        ),
    ];
    for (bytes, expected) in cases {
        folder.write("guest.elf", bytes);
        let error = folder.error("title = \"t\"\n[guest]\nelf = \"guest.elf\"\n");
        assert!(
            error.starts_with("scenario.toml:3:7: error: ") && error.contains(expected),
            "{error}"
        );
    }
    folder.write("guest.elf", &good);
    let error = folder.error("title = \"t\"\n[guest]\nelf = \"guest.elf\"\n[machine]\nmemory = \"8 KiB\"");
    assert!(
        error.starts_with("scenario.toml:5:10: error: the image needs memory up to 0x3004"),
        "{error}"
    );
    assert!(error.contains("; did you mean 'memory = \"16 KiB\"'?"), "{error}");
    let error = folder.error("title = \"t\"\n[guest]\nsources = [\"guest.s\"]\norigin = 0x80000000");
    assert!(
        error.starts_with("scenario.toml:4:10: error: the image needs memory up to 0x8000000"),
        "{error}"
    );

    assert!(load_elf(&folder.0.join("guest.elf")).is_ok());
    assert!(matches!(
        load_elf(&folder.0.join("guest.s")),
        Err(Error::Image { .. })
    ));
    assert!(matches!(
        load_elf(&folder.0.join("nothing")),
        Err(Error::File { .. })
    ));
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_refused_wherever_a_path_is_given() {
    let folder = Folder::new("pipes");
    let pipe = folder.0.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo is everywhere");
    for path in [pipe.display().to_string(), "/dev/zero".to_string()] {
        let start = Instant::now();
        assert!(
            Scenario::find(&path)
                .unwrap_err()
                .to_string()
                .contains("not a regular file")
        );
        assert!(
            load_elf(path.as_ref())
                .unwrap_err()
                .to_string()
                .contains("not a regular file")
        );
        assert!(read_limited(path.as_ref(), 10).is_err());
        for toml in [
            format!("title = \"t\"\n[guest]\nsources = [{path:?}]"),
            format!("title = \"t\"\n[guest]\nelf = {path:?}"),
            format!("{GOOD}[machine]\ndisk = {path:?}"),
        ] {
            let error = folder.fail(toml.as_bytes()).to_string();
            assert!(
                error.contains("not a regular file: expected one that can be read to its end"),
                "{error}"
            );
        }
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn files_that_are_too_large_are_not_read() {
    let folder = Folder::new("large");
    let sparse = |name: &str, size: u64| {
        let file = fs::File::create(folder.0.join(name)).expect("the temporary folder is ours");
        file.set_len(size).expect("sparse files cost nothing");
    };
    sparse("big.toml", limit::TOML + 1);
    assert!(
        Scenario::load(&folder.0.join("big.toml"))
            .unwrap_err()
            .to_string()
            .contains("at most 1 MiB")
    );
    sparse("big.s", limit::SOURCE + 1);
    assert!(
        folder
            .error("title = \"t\"\n[guest]\nsources = [\"big.s\"]")
            .contains("'big.s': the file is too large")
    );
    sparse("big.elf", limit::ELF + 1);
    assert!(
        folder
            .error("title = \"t\"\n[guest]\nelf = \"big.elf\"")
            .contains("'big.elf': the file is too large")
    );
    sparse("big.disk", limit::DISK + 1);
    assert!(
        folder
            .error(&format!("{GOOD}[machine]\ndisk = \"big.disk\""))
            .contains("'big.disk': the file is too large")
    );
}

#[test]
fn scenarios_are_found_by_name_or_path() {
    let folder = Folder::new("finding");
    folder.write("scenario.toml", GOOD.as_bytes());
    folder.write("other.toml", GOOD.as_bytes());
    let by_folder = Scenario::find(&folder.0.display().to_string()).expect("it is good");
    assert_eq!(
        (by_folder.name.as_str(), by_folder.budget),
        ("finding", 50_000_000)
    );
    let by_file = Scenario::find(&folder.0.join("other.toml").display().to_string()).expect("it is good");
    assert_eq!(by_file.name, "other");
    assert_eq!(
        Scenario::find("guest-os").expect("it is shipped").origin,
        scenarios::Origin::Shipped
    );
    let error = Scenario::find("guest-so").unwrap_err().to_string();
    assert_eq!(
        error,
        "no scenario is named 'guest-so', and there is no such file; did you mean 'guest-os'?"
    );
    assert!(
        Scenario::find("no/such.toml")
            .unwrap_err()
            .to_string()
            .contains("no such file")
    );
    assert!(Scenario::find("").is_err());
}
