// What a TPM's libraries do beside what they are asked for.

#include <catch2/catch.hpp>

#include "softhsm-tests/stacks/tpm.h"
#include "softhsm-tests/support/skip.h"

using namespace p11mime::test;

TEST_CASE("of a TPM's libraries no warnings stand before what p11mime has to say", "[stacks]") {
    try {
        TpmStack::need(TpmStack::Way::direct);
        TpmStack stack(TpmStack::Way::direct);
        const Identity& alice = stack.employ({.name = "RSA", .email = "rsa@example.gov"});
        Command command = stack.office.desk.p11mime_command({"sign"});
        command.input = mail(alice.email, "bob@example.org");
        const Outcome signed_mail = run_process(command);
        CHECK(signed_mail.status == 0);
        CHECK_THAT(signed_mail.err, Catch::StartsWith("p11mime: "));
        command.environment["WRONG_PIN"] = "999999";
        command.arguments.insert(command.arguments.end(), {"--pin-source", "env:WRONG_PIN"});
        const Outcome refused = run_process(command);
        CHECK(refused.status == 4);
        CHECK_THAT(refused.err, !Catch::Contains("WARNING"));
        CHECK_THAT(refused.err, !Catch::Contains("src/tss2"));
    } catch (const Unavailable& reason) {
        skip(reason.what());
    }
}
