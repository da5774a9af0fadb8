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
    fn only_all_of_them_are_a_hundred_percent() {
        assert_eq!(percent(99_999, 100_000), "99.99%");
        assert_eq!(percent(7, 7), "100.00%");
    }
}
