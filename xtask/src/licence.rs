//! Licence expressions, as Cargo.toml has them: `MIT OR Apache-2.0`, `(MIT OR Apache-2.0) AND Unicode-3.0`,
//! and the older `MIT/Apache-2.0`.

/// Whether some choice that the expression leaves needs allowed licences only. An expression that is not
/// understood is refused.
pub(crate) fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let verdict = either(&mut words, allowed);
    verdict == Some(true) && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

/// `a OR b OR ...`
fn either(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let mut verdict = both(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        verdict |= both(words, allowed)?;
    }
    Some(verdict)
}

/// `a AND b AND ...`
fn both(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let mut verdict = one(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        verdict &= one(words, allowed)?;
    }
    Some(verdict)
}

/// A licence, a licence with an exception, or an expression in brackets.
fn one(words: &mut Words<'_>, allowed: &[String]) -> Option<bool> {
    let word = words.next()?;
    if word == "(" {
        let verdict = either(words, allowed)?;
        return words.next_if_eq(&")").map(|_| verdict);
    }
    let mut licence = word.to_owned();
    if words.next_if_eq(&"WITH").is_some() {
        licence = format!("{licence} WITH {}", words.next()?);
    }
    Some(allowed.contains(&licence))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(expression: &str) -> bool {
        is_allowed(expression, &["MIT", "Apache-2.0", "Unicode-3.0"].map(str::to_owned))
    }

    #[test]
    fn one_allowed_choice_is_enough() {
        assert!(judge("MIT"));
        assert!(judge("GPL-3.0 OR MIT"));
        assert!(judge("MIT/Apache-2.0"));
        assert!(!judge("GPL-3.0"));
    }

    #[test]
    fn all_of_a_conjunction_must_be_allowed() {
        assert!(judge("(MIT OR GPL-3.0) AND Unicode-3.0"));
        assert!(!judge("MIT AND GPL-3.0"));
        assert!(!judge("MIT AND (GPL-3.0 OR LGPL-3.0)"));
    }

    #[test]
    fn an_exception_makes_another_licence() {
        assert!(!judge("Apache-2.0 WITH LLVM-exception"));
        assert!(judge("Apache-2.0 WITH LLVM-exception OR MIT"));
    }

    #[test]
    fn an_expression_that_is_not_understood_is_refused() {
        for expression in ["", "MIT OR", "(MIT", "MIT MIT", "OR MIT"] {
            assert!(!judge(expression), "{expression:?}");
        }
    }
}
