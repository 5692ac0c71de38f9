"""The tree is RFC 6962's: the vectors of certificate-transparency, and every proof for every small tree."""

import hashlib

import pytest

from idverify.audit.log import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    extends,
    includes,
    inclusion_proof,
    leaf_hash,
    node_hash,
    tree_root,
)

# The eight leaves and roots that certificate-transparency's own tests use.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LARGEST = 33


def test_the_published_roots_come_out() -> None:
    frontier = Frontier()
    assert frontier.root.hex() == EMPTY_ROOT.hex() == ROOTS[0]
    for size, leaf in enumerate(LEAVES, start=1):
        frontier = frontier.append(leaf_hash(leaf))
        assert frontier.root.hex() == ROOTS[size]
        assert tree_root([leaf_hash(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size]


def test_the_published_inclusion_proof_comes_out() -> None:
    # certificate-transparency, merkle_tree_test: leaf 0 of 8.
    assert [digest.hex() for digest in inclusion_proof([leaf_hash(leaf) for leaf in LEAVES], 0)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


def test_the_published_consistency_proof_comes_out() -> None:
    # certificate-transparency, merkle_tree_test: 6 to 8.
    assert [digest.hex() for digest in consistency_proof([leaf_hash(leaf) for leaf in LEAVES], 6)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_a_leaf_is_never_taken_for_a_node() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)
    assert leaf_hash(b"a") == hashlib.sha256(b"\x00a").digest()


def test_a_frontier_survives_storage_at_every_size() -> None:
    frontier = Frontier()
    for size in range(LARGEST):
        assert Frontier.from_bytes(frontier.to_bytes()) == frontier
        assert frontier.size == size
        frontier = frontier.append(leaf_hash(bytes([size])))


@pytest.mark.parametrize("content", [b"", bytes(7), bytes(8) + bytes(32), (3).to_bytes(8, "big") + bytes(32), bytes(9)])
def test_a_damaged_frontier_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="frontier"):
        Frontier.from_bytes(content)


def test_every_inclusion_proof_holds_for_its_leaf_and_place_only() -> None:
    for size in range(1, LARGEST):
        hashes, root = _tree(size)
        for index in range(size):
            proof = inclusion_proof(hashes, index)
            assert includes(root, size, index, hashes[index], proof)
            assert not includes(root, size, index, leaf_hash(b"other"), proof)
            assert not includes(root, size, (index + 1) % size, hashes[index], proof) or size == 1
            assert not includes(root, size, index, hashes[index], [*proof, bytes(32)])
            assert not includes(root, size, index, hashes[index], proof[:-1]) or not proof
        assert not includes(root, size, size, hashes[-1], [])


def test_every_consistency_proof_holds_for_its_two_trees_only() -> None:
    for size in range(1, LARGEST):
        hashes, root = _tree(size)
        for old_size in range(1, size + 1):
            old_root = tree_root(hashes[:old_size])
            proof = consistency_proof(hashes, old_size)
            assert extends(old_root, old_size, root, size, proof)
            assert not extends(leaf_hash(b"other"), old_size, root, size, proof)
            assert not extends(old_root, old_size, leaf_hash(b"other"), size, proof)
            assert not extends(old_root, old_size, root, size, [*proof, bytes(32)])
            assert not extends(old_root, old_size, root, size, proof[:-1]) or not proof
        assert not extends(root, size + 1, root, size, [])
        assert not extends(EMPTY_ROOT, 0, root, size, [])


def test_a_proof_of_what_is_not_there_is_refused() -> None:
    hashes, _ = _tree(3)
    for index in (-1, 3):
        with pytest.raises(IndexError):
            inclusion_proof(hashes, index)
    for old_size in (0, 4):
        with pytest.raises(IndexError):
            consistency_proof(hashes, old_size)


def _tree(size: int) -> tuple[list[bytes], bytes]:
    hashes = [leaf_hash(bytes([index])) for index in range(size)]
    return hashes, tree_root(hashes)
