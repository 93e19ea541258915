"""The options of `community` on the command line."""

import argparse

from commands import community, residents

USUAL = 50


def add_community(parser: argparse.ArgumentParser) -> None:
    """`community places load FILE [--dry-run]`, `places list [PLACE]`, `residents load FILE [--dry-run]`."""
    parser.description = "districts, streets, communities and the houses in them"
    groups = parser.add_subparsers(title="actions", metavar="<action>", required=True)
    places = groups.add_parser("places", help="where people live")
    actions = places.add_subparsers(title="actions", metavar="<action>", required=True)
    loading = actions.add_parser("load", help="add what a sheet names, CSV or XLSX; may be repeated")
    loading.add_argument(
        "file", metavar="FILE", help="columns 社区编码 区 街道 社区 网格 小区 楼栋 单元 户数"
    )
    loading.add_argument("--dry-run", action="store_true", help="say what it would do, and do nothing")
    loading.set_defaults(
        command=lambda settings, _assemble, it: community.load(settings, it.file, dry_run=it.dry_run)
    )
    listing = actions.add_parser("list", help="what is right below a place")
    listing.add_argument("place", metavar="PLACE", nargs="?", default="", help="its code (the districts)")
    listing.add_argument("--after", metavar="NAME", default="", help="go on after this name")
    listing.add_argument("--limit", metavar="N", type=int, default=USUAL, help=f"at most so many ({USUAL})")
    listing.set_defaults(
        command=lambda settings, _assemble, it: community.listing(settings, it.place, it.after, it.limit)
    )
    lists = groups.add_parser("residents", help="who lives where, as a community's own list says")
    actions = lists.add_subparsers(title="actions", metavar="<action>", required=True)
    loading = actions.add_parser("load", help="put a list in the place of the last one, CSV or XLSX")
    loading.add_argument("file", metavar="FILE", help="columns 社区编码 小区 楼栋 单元 房号 姓名 标签")
    loading.add_argument("--dry-run", action="store_true", help="say what it would do, and do nothing")
    loading.set_defaults(
        command=lambda settings, _assemble, it: residents.load(settings, it.file, dry_run=it.dry_run)
    )
