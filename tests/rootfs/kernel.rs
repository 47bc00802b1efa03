//! The kernel's image.

use super::check;

const IMAGE: &str = "
    d boot
    f0600 ucode.cpio ucode
    f0755 kernel linux
    f0700 boot/vmlinuz other
    f System.map dropped
    t kernel.tar
    > d0700 lib/
    > d lib/modules/
    > f lib/modules/x.ko x
    > l lib/modules/source /usr/src";

#[test]
fn a_kernel_has_its_command_line_its_modules_and_microcode() {
    check("kernel", &[("kernel:1", &[IMAGE])]);
}

#[test]
fn the_kernel_may_have_another_name_and_no_modules() {
    check("kernel-custom", &[("kernel:1", &[IMAGE])]);
}
