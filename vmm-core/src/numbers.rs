//! Numbers as people read them.

/// With commas: `1,234,567`.
pub fn exact(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// So many things, in the singular or in the plural: `1 trap`, `7,722 traps`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", exact(number), if number == 1 { one } else { many })
}

/// A number in at most seven characters: exact below a million, else rounded down to three decimals or fewer.
pub fn short(number: u64) -> String {
    let (divisor, unit) = match number {
        0..1_000_000 => return exact(number),
        1_000_000..1_000_000_000 => (1_000_000, 'M'),
        1_000_000_000..1_000_000_000_000 => (1_000_000_000, 'G'),
        _ => (1_000_000_000_000, 'T'),
    };
    let whole = number / divisor;
    let thousandths = number % divisor / (divisor / 1000);
    let fraction = format!("{thousandths:03}");
    let decimals = 4usize.saturating_sub(whole.to_string().len()).min(3);
    match &fraction[..decimals] {
        "" => format!("{whole}{unit}"),
        fraction => format!("{whole}.{fraction}{unit}"),
    }
}

/// A share as a percentage, rounded down, so that 100 % means all.
pub fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0%".to_string();
    }
    let hundredths = u128::from(part) * 10_000 / u128::from(whole);
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_stand_before_every_third_digit() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(exact),
            ["0", "999", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn one_thing_is_in_the_singular() {
        let traps = [0, 1, 2000].map(|number| counted(number, "trap", "traps"));
        assert_eq!(traps, ["0 traps", "1 trap", "2,000 traps"]);
    }

    #[test]
    fn numbers_are_exact_while_they_fit() {
        assert_eq!(short(0), "0");
        assert_eq!(short(999_999), "999,999");
        assert_eq!(short(1_234_567), "1.234M");
        assert_eq!(short(12_345_678), "12.34M");
        assert_eq!(short(123_456_789), "123.4M");
        assert_eq!(short(1_000_000_000), "1.000G");
        assert_eq!(short(u64::MAX), "18446744T");
    }

    #[test]
    fn only_all_of_them_are_a_hundred_percent() {
        assert_eq!(percent(99_999, 100_000), "99.99%");
        assert_eq!(percent(7, 7), "100.00%");
    }
}
