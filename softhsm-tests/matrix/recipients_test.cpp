// Every key management with every cipher: p11mime to itself, and both ways with its peers.

#include "softhsm-tests/matrix/bouncy_castle.h"
#include "softhsm-tests/matrix/gpgsm.h"
#include "softhsm-tests/matrix/nss.h"
#include "softhsm-tests/matrix/openssl.h"
#include "softhsm-tests/matrix/own_recipients.h"
#include "softhsm-tests/support/leaks.h"

using namespace p11mime::test;
using namespace p11mime::test::matrix;

namespace {

constexpr const char* kTable = "matrix/recipients.tsv";

std::set<p11mime::test::KeyKind> keys_of(const std::vector<RecipientRow>& rows) {
    std::set<p11mime::test::KeyKind> kinds;
    for (const RecipientRow& row : rows)
        if (row.secret.empty()) kinds.insert(row.key);
    return kinds;
}

template <class Peer>
void check_peer(const std::vector<RecipientRow>& rows) {
    People people(keys_of(rows));
    Peer peer(people);
    Table found;
    exchange(
        found, people, rows, peer, [&](const RecipientRow& row) { return write_encrypted(people, row); },
        [&](const RecipientRow& row, const std::string& message) {
            return read_encrypted(people, row, received(row, message));
        });
    check_table(kTable, found, Rows::some);
}

}  // namespace

TEST_CASE("p11mime reads its own key management and ciphers as recipients.tsv says", "[matrix][self]") {
    const p11mime::test::ModuleLeaks leaks;  // of SoftHSM, for some of these keys
    const std::vector<RecipientRow> rows = recipient_rows();
    People people(keys_of(rows));
    Table found;
    for (const RecipientRow& row : rows)
        found.set(row.name, "self", row.reading_only ? kNotWritten : own_cell(try_to([&] {
                      return read_encrypted(people, row, write_encrypted(people, row));
                  })));
    check_table(kTable, found);
}

TEST_CASE("key management and ciphers go both ways with openssl as recipients.tsv says", "[matrix]") {
    check_peer<OpenSslRecipients>(sampled_rows());
}

TEST_CASE("key management and ciphers go both ways with Bouncy Castle as recipients.tsv says", "[matrix]") {
    check_peer<BouncyCastleRecipients>(sampled_rows());
}

TEST_CASE("key management and ciphers go both ways with a decoder by hand as recipients.tsv says", "[matrix]") {
    check_peer<HandmadeRecipients>(sampled_rows());
}

TEST_CASE("key management and ciphers go both ways with gpgsm as recipients.tsv says", "[matrix]") {
    check_peer<GpgsmRecipients>(recipient_rows());
}

TEST_CASE("key management and ciphers go both ways with NSS as recipients.tsv says", "[matrix]") {
    check_peer<NssRecipients>(recipient_rows());
}
