"""Driver profiles that are wrong refuse the link, in a sentence."""

import pytest

NULL = "link add n type dpdk devargs net_null0,no-rx=1"


@pytest.mark.parametrize("text, said", [
    ("[driver]\n# a comment\nrxd 512\n", ':3: "rxd 512" is not KEY = VALUE'),
    ("[driver]\nrxd = many\n", 'rxd: "many"'),
    ("[driver]\nnonsense = 1\n", '"nonsense"'),
], ids=["no-equals", "value", "key"])
def test_a_profile_that_is_wrong(router, directory, monkeypatch, text, said):
    (directory / "net_null.ini").write_text(text)
    monkeypatch.setenv("MILLRACE_DRIVERS_CONFIG", str(directory))
    router.start()
    reason = router.refusal(NULL)
    assert f"{directory}/net_null.ini" in reason and said in reason
    (directory / "net_null.ini").write_text("\n [driver] \n rxd = 512 # enough\n")
    router.ctl(NULL)
    router.stop()


def test_no_such_directory(router, directory, monkeypatch):
    monkeypatch.setenv("MILLRACE_DRIVERS_CONFIG", str(directory / "absent"))
    router.start()
    reason = router.refusal(NULL)
    assert "MILLRACE_DRIVERS_CONFIG" in reason and f"{directory}/absent" in reason
    router.stop()
