//! Addresses: masks.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::sample::arg::{Arg, Args, Spec, Wants};
use crate::sample::row::Conv;
use crate::value::{Kind, Value};

use Kind::Addr;

/// The family.
pub(super) const ROWS: &[Conv] = &[Conv::pure(
    "ipmask",
    Addr,
    Addr,
    ipmask,
    "The address under a mask; an IPv6 address needs the second one.",
)
.with(Spec::from(1, &[Wants::Mask4, Wants::Mask6]))];

fn ipmask<'a>(value: Value<'a>, args: &'a [Arg]) -> Option<Value<'a>> {
    // An IPv6 address that stands for an IPv4 one gets the mask of that family.
    let mapped = value.clone().cast(Kind::Ip4);
    let value = mapped.unwrap_or(value);
    match (value, args.at(0), args.at(1)) {
        (Value::Ip4(addr), Arg::Ip4(mask), _) => Some(Value::Ip4(Ipv4Addr::from(
            u32::from(addr) & u32::from(*mask),
        ))),
        (Value::Ip6(addr), _, Arg::Ip6(mask)) => Some(Value::Ip6(Ipv6Addr::from(
            u128::from(addr) & u128::from(*mask),
        ))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::sample::rig::{absent, refused, yields};

    #[test]
    fn masks_of_both_families() {
        yields("ipv4(192.168.45.99),ipmask(24)", "192.168.45.0");
        yields("ipv4(192.168.45.99),ipmask(255.255.0.0)", "192.168.0.0");
        yields("ipv6(2001:db8::ffff:1),ipmask(24,64)", "2001:db8::");
        yields("ipv6(::ffff:192.168.1.101),ipmask(24,64)", "192.168.1.0");
        absent("ipv6(2001:db8::1),ipmask(24)");
        refused(
            "ipv4(1.2.3.4),ipmask(33)",
            "failed to parse '33' as type 'IPv4 mask' at position 1",
        );
    }
}
