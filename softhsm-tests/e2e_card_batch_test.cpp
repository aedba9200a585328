// A batch whose card is pulled goes on once it is back.

#include <catch2/catch.hpp>

#include "softhsm-tests/e2e_card_batch.h"

using namespace p11mime::test;

TEST_CASE("a batch goes on once the card is back: no mail is lost or done twice, and one PIN is sent a time it is in",
          "[e2e]") {
    if (skipped_without_readers()) return;
    for (const std::string jobs : {"1", "3"}) {
        INFO("-j " + jobs);
        CardBatch batch(6);
        batch.office.card().order("hold-at authenticate");
        Running sign(batch.office.desk, batch.command({"-j", jobs, "--wait", "300"}));
        wait_until([&] { return batch.office.card().status("held") == "true"; }, "the first signature");
        batch.office.card().order("remove-at authenticate");
        batch.office.card().order("release");
        sign.wait_for("was removed from its reader; insert token");
        sign.wait_for("waiting for it, 300 s at most");
        batch.office.card().insert();
        INFO(sign.said());
        CHECK(sign.status() == 0);
        CHECK_THAT(sign.said(), Catch::Contains("is back; going on") && Catch::Contains("6 mails: 6 good"));
        CHECK(batch.complete());
        CHECK(batch.authentications() == 6 + 1);  // one was cut short
        CHECK(batch.office.card().tries() == 3);
    }
}

TEST_CASE("a batch refuses another card by name and goes on with its own", "[e2e]") {
    if (skipped_without_readers()) return;
    CardBatch batch(3);
    const std::string serial = "01";
    batch.office.card().order("remove-at authenticate");
    Running sign(batch.office.desk, batch.command({"-j", "1", "--wait", "300"}));
    sign.wait_for("waiting for it, 300 s at most");
    batch.office.card().set_serial("77");
    batch.office.card().insert();
    sign.wait_for("is not token '");
    CHECK(batch.office.card().tries() == 3);
    batch.office.card().remove();
    batch.office.card().set_serial(serial);
    batch.office.card().insert();
    INFO(sign.said());
    CHECK(sign.status() == 0);
    CHECK(batch.complete());
}
