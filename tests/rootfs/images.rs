//! What becomes of an image's files.

use super::check;

#[test]
fn what_engines_leave_in_images_is_dropped_and_what_containers_need_is_put() {
    let odd = "
        f .dockerenv
        f Dockerfile FROM scratch
        d0700:1:1 dev
        c0600 dev/console 5,1
        c0666 dev/null 1,3
        d dev/pts
        d dev/shm
        d0711 etc
        f etc/hostname box
        l etc/hosts /tmp/hosts
        f0600:7:7 etc/mtab none
        l etc/resolv.conf /tmp/resolv.conf
        d0555 proc
        d0500 sys
        d srv
        f srv/Dockerfile kept
        f srv/.dockerenv kept";
    let bare = "f0755 hello hi";
    check("filter", &[("odd:1", &[odd]), ("bare:1", &[bare])]);
}

#[test]
fn a_whiteout_hides_what_is_below_and_an_opaque_one_a_folders_contents() {
    let bottom = "
        d etc
        f etc/motd old
        f etc/issue old
        d opt
        d opt/a
        f opt/a/deep old
        f opt/b old
        d var
        f var/x old
        d var/log
        f var/log/old old";
    let middle = "
        f etc/.wh.motd
        f opt/.wh.a
        d0700 var
        f var/.wh..wh..opq
        f var/y new";
    let top = "
        d opt
        d opt/a
        f opt/a/new new
        f etc/motd new
        f etc/.wh.nothing";
    check("whiteouts", &[("layers:1", &[bottom, middle, top])]);
}

#[test]
fn a_hard_link_keeps_the_content_that_its_layer_saw() {
    let bottom = "
        d bin
        f0755 bin/m one
        h bin/a bin/m
        h bin/z bin/m
        f0755 bin/kept two
        f0755 bin/hidden three";
    let middle = "
        h bin/late bin/kept
        h bin/saved bin/hidden
        h bin/saved2 bin/hidden";
    let top = "
        f0700 bin/m new
        f bin/.wh.hidden
        f0700 bin/kept new";
    check("hardlinks", &[("links:1", &[bottom, middle, top])]);
}

#[test]
fn links_that_stand_for_folders_are_followed_between_images() {
    let merged = "
        d usr
        d usr/bin
        d usr/lib
        l bin usr/bin
        l lib /usr/lib
        f0755 usr/bin/sh new
        d0700 root";
    let plain = "
        d0700 bin
        f0755 bin/ls ls
        h bin/dir bin/ls
        f lib/libc.so libc
        f root/.profile mine";
    let link = "
        d sbin
        f sbin/init init
        l usr elsewhere";
    check("usrmerge", &[("merged:1", &[merged]), ("plain:1", &[plain]), ("link:1", &[link])]);
}

#[test]
fn package_databases_of_init_images_are_together_one() {
    let one = "d lib\nd lib/apk\nd lib/apk/db\nf lib/apk/db/installed P:one\\n";
    let two = "d lib\nd lib/apk\nd lib/apk/db\nf0600:3:3 lib/apk/db/installed P:two\\n";
    check("apk", &[("one:1", &[one]), ("two:1", &[two])]);
}

#[test]
fn init_alone_is_a_system_without_a_kernel() {
    check("init-only", &[("init:1", &["f0755 init #!/bin/sh\\n"])]);
}
