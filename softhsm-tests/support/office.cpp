#include "softhsm-tests/support/office.h"

#include <fmt/format.h>

namespace p11mime::test {

Arguments operator+(Arguments a, const Arguments& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

Office::Office() {
    desk.file("root.pem", pki.root_pem());
    desk.file("intermediate.pem", pki.intermediate_pem());
    desk.file("ca.pem", pki.root_pem() + pki.intermediate_pem());
}

Identity Office::employ(const Leaf& leaf) {
    Identity identity = correspond(leaf);
    desk.put(identity, fmt::format("{:02x}", ++employed_));
    return identity;
}

Identity Office::correspond(const Leaf& leaf) {
    Identity identity = pki.issue(leaf);
    desk.file(leaf.name + ".key", identity.key_pem);
    desk.file(leaf.name + ".pem", identity.certificate_pem);
    return identity;
}

Arguments Office::trust() const {
    return {"--no-default-ca", "--ca", desk.path("root.pem"), "--intermediates", desk.path("intermediate.pem")};
}

}  // namespace p11mime::test
