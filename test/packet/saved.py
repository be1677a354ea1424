"""Whether what `config save` writes leads to the same state again."""


def state(router):
    """All that is to survive."""
    links = router.show("link show")
    for link in links:
        del link["stats64"]
    return {"config": router.show("config show"), "links": links,
            "routes": router.show("route show table all"), "rules": router.show("rule show"),
            "addresses": router.show("addr show"), "filter": router.show("filter show"),
            "sysctls": router.show("sysctl -a"),
            "neighbours": [(n["dev"], n["dst"], n["lladdr"]) for n in router.show("neigh show")
                           if n["state"] == ["PERMANENT"]]}


def survives(router):
    """Save, start from what is saved, and compare; the lines of it."""
    saved = router.directory / "saved.conf"
    router.ctl(f"config save {saved}")
    before = state(router)
    router.stop()
    router.start((), "-c", str(saved))
    after = state(router)
    for key in before:
        assert after[key] == before[key], key
    return before["config"]
