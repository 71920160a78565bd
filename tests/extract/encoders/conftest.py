import pytest

from tests.extract.encoders.tiny import make_checkpoint


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    """Give the folder of a tiny checkpoint by family, made when it is first asked for."""
    root = tmp_path_factory.mktemp("checkpoints")

    def folder_of(family):
        folder = root / family
        if not folder.exists():
            make_checkpoint(family, folder)
        return folder

    return folder_of
