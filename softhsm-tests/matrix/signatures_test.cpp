// Every signature with every digest: p11mime to itself, and both ways with its peers.

#include "softhsm-tests/matrix/bouncy_castle.h"
#include "softhsm-tests/matrix/gpgsm.h"
#include "softhsm-tests/matrix/nss.h"
#include "softhsm-tests/matrix/openssl.h"
#include "softhsm-tests/matrix/own_signatures.h"
#include "softhsm-tests/support/leaks.h"

using namespace p11mime::test;
using namespace p11mime::test::matrix;

namespace {

constexpr const char* kTable = "matrix/signatures.tsv";

std::set<p11mime::test::KeyKind> keys_of(const std::vector<SignatureRow>& rows) {
    std::set<p11mime::test::KeyKind> kinds;
    for (const SignatureRow& row : rows)
        kinds.insert(row.key);
    return kinds;
}

template <class Peer>
void check_peer(SignedForm clear_form) {
    const std::vector<SignatureRow> rows = signature_rows();
    People people(keys_of(rows));
    Peer peer(people);
    Table found;
    exchange(
        found, people, rows, peer,
        [&](const SignatureRow& row) { return write_signed(people, row, row.clear ? clear_form : SignedForm::der); },
        [&](const SignatureRow& row, const std::string& message) {
            return read_signed(people, row, received(row, message));
        });
    check_table(kTable, found);
}

}  // namespace

TEST_CASE("p11mime reads its own signatures as signatures.tsv says", "[matrix][self]") {
    const p11mime::test::ModuleLeaks leaks;  // of SoftHSM, for some of these keys
    const std::vector<SignatureRow> rows = signature_rows();
    People people(keys_of(rows));
    Table found;
    for (const SignatureRow& row : rows)
        found.set(row.name, "self", row.reading_only ? kNotWritten : own_cell(try_to([&] {
                      return read_signed(people, row,
                                         write_signed(people, row, row.clear ? SignedForm::smime : SignedForm::der));
                  })));
    check_table(kTable, found);
}

TEST_CASE("signatures go both ways with openssl as signatures.tsv says", "[matrix]") {
    check_peer<OpenSslSignatures>(SignedForm::smime);
}

TEST_CASE("signatures go both ways with Bouncy Castle as signatures.tsv says", "[matrix]") {
    check_peer<BouncyCastleSignatures>(SignedForm::der);
}

TEST_CASE("signatures go both ways with gpgsm as signatures.tsv says", "[matrix]") {
    check_peer<GpgsmSignatures>(SignedForm::der);
}

TEST_CASE("signatures go both ways with NSS as signatures.tsv says", "[matrix]") {
    check_peer<NssSignatures>(SignedForm::der);
}
