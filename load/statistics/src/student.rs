//! Student's t-test of two samples with equal variances.

use crate::{mean, variance};

/// The probability of a difference of means at least as large as that of `a` and `b`, if they are from one distribution. 1 if there
/// are too few values to say.
#[must_use]
pub fn p_value(a: &[f64], b: &[f64]) -> f64 {
    let (n, m) = (a.len() as f64, b.len() as f64);
    let freedom = n + m - 2.0;
    if a.is_empty() || b.is_empty() || freedom <= 0.0 {
        return 1.0;
    }
    let difference = mean(a) - mean(b);
    let pooled = ((n - 1.0) * variance(a) + (m - 1.0) * variance(b)) / freedom;
    let error = (pooled * (1.0 / n + 1.0 / m)).sqrt();
    if error > 0.0 {
        two_sided(difference / error, freedom)
    } else if difference == 0.0 {
        1.0
    } else {
        0.0
    }
}

/// The probability of |T| >= |t| for Student's T with `freedom` degrees of freedom.
#[must_use]
pub fn two_sided(t: f64, freedom: f64) -> f64 {
    incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t))
}

/// The regularised incomplete beta function, by Lentz's continued fraction (Numerical Recipes, 6.4).
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    // The fraction converges quickly on this side only.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, 1.0 - x) / b
    }
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let safe = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / safe(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for m in 1..500 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / safe(1.0 + term * d);
            c = safe(1.0 + term / c);
            change = c * d;
            result *= change;
        }
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    result
}

/// The logarithm of the gamma function for positive `x`, by Lanczos (g = 7).
fn ln_gamma(x: f64) -> f64 {
    const C: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        // Reflection.
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let series = (1_u8..).zip(C).fold(0.999_999_999_999_809_9, |sum, (n, c)| sum + c / (x + f64::from(n)));
    let t = x + 7.5;
    0.5 * std::f64::consts::TAU.ln() + (x + 0.5) * t.ln() - t + series.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn critical_values_are_those_of_the_printed_tables() {
        // Two-sided, from the tables of Student's t.
        for (t, freedom, p) in [
            (12.706, 1.0, 0.05),
            (2.228, 10.0, 0.05),
            (3.169, 10.0, 0.01),
            (1.984, 100.0, 0.05),
            (4.587, 10.0, 0.001),
        ] {
            assert!(
                (two_sided(t, freedom) / p - 1.0).abs() < 0.002,
                "t {t}, {freedom}: {}",
                two_sided(t, freedom)
            );
        }
        assert!((two_sided(0.0, 5.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_judged_is_no_difference() {
        assert!((p_value(&[1.0], &[2.0]) - 1.0).abs() < 1e-12);
        assert!((p_value(&[3.0; 5], &[3.0; 5]) - 1.0).abs() < 1e-12);
        assert!(p_value(&[3.0; 5], &[4.0; 5]) < 1e-12);
    }
}
