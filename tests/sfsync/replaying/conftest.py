from tests.sfsync.pushing.conftest import desk, org

__all__ = ["desk", "org"]
