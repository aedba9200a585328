#include "softhsm-tests/stacks/stack.h"
#include "softhsm-tests/support/card_readers.h"

namespace p11mime::test {

namespace {

/// PivStack is a PIV card in a reader: authentication (9A) is the RSA key's place, key management (9D) the EC key's,
/// and digital signature (9C) that of the key that asks for the PIN each time.
class PivStack final : public Stack {
  public:
    /// `label` is what the module calls the key in 9A.
    PivStack(Traits traits, const std::string& reader, const std::string& module, std::string label)
        : Stack(std::move(traits)), label_(std::move(label)), readers_(office.desk, reader) {
        office.desk.module = module;
    }

    std::string puk() const override { return std::string(kPuk); }
    void need_puk() override {
        readers_.card().order("tries 0");
        readers_.card().remove();  // it does not stay logged in
        readers_.card().insert();
    }
    void remove() override { readers_.card().remove(); }

    std::string key_label(const Leaf&) const override { return label_; }

  private:
    Identity put(const Leaf& leaf) override { return insert_with(leaf.kind == KeyKind::rsa2048 ? "9a" : "9d", leaf); }

    Identity put_always_authenticate(const Leaf& leaf) override {
        Leaf signature = leaf;
        signature.key_usage = "critical,digitalSignature,nonRepudiation";
        return insert_with("9c", signature);
    }

    Identity insert_with(const std::string& reference, const Leaf& leaf) {
        Identity identity = office.correspond(leaf);
        if (readers_.card().status("inserted") == "true") readers_.card().remove();
        readers_.card().put(reference, identity);
        readers_.card().insert();
        return identity;
    }

    std::string label_;
    CardReaders readers_;
};

void need_readers() {
    if (const std::string why = CardReaders::why_not(); !why.empty()) throw Unavailable(why);
}

}  // namespace

std::unique_ptr<Stack> start_piv_opensc() {
    need_readers();
    // OpenSC names the token as the certificate in 9A names its owner.
    return std::make_unique<PivStack>(Stack::Traits{.token = "RSA", .pin = std::string(kUserPin)}, "Virtual PCD",
                                      CardReaders::opensc_module(), "PIV AUTH key");
}

std::unique_ptr<Stack> start_piv_ykcs11() {
    need_readers();
    if (CardReaders::ykcs11_module().empty()) throw Unavailable("package ykcs11 is not installed");
    return std::make_unique<PivStack>(Stack::Traits{.token = "YubiKey PIV #0", .pin = std::string(kUserPin)},
                                      "Yubico Virtual", CardReaders::ykcs11_module(),
                                      "Private key for PIV Authentication");
}

}  // namespace p11mime::test
