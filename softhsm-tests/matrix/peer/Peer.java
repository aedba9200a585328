import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Security;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/**
 * Peer does the jobs of a manifest, one a line, and answers each with a line on standard output: its identifier, a tab,
 * and "ok" or what went wrong. All in one JVM, because starting one takes longer than a hundred jobs.
 */
final class Peer {
    private Peer() {}

    public static void main(String[] arguments) throws IOException {
        Security.addProvider(new BouncyCastleProvider());
        List<String> answers = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of(arguments[0]))) {
            Job job = new Job(line);
            answers.add(job.id() + "\t" + answer(job));
        }
        System.out.println(String.join("\n", answers));
    }

    private static String answer(Job job) {
        try {
            run(job);
            return "ok";
        } catch (Exception | LinkageError error) {
            return (error.getClass().getSimpleName() + ": " + error.getMessage()).replaceAll("\\s+", " ");
        }
    }

    private static void run(Job job) throws Exception {
        switch (job.text("do")) {
            case "sign" -> job.write(Signatures.sign(job));
            case "verify" -> Signatures.verify(job);
            case "encrypt" -> job.write(Envelopes.encrypt(job));
            case "decrypt" -> job.expect(Envelopes.decrypt(job));
            case "encrypt-by-hand" -> job.write(ByHand.encrypt(job));
            case "decrypt-by-hand" -> job.expect(ByHand.decrypt(job));
            case "compress" -> job.write(Structures.compress(job.file("content")));
            case "authenticate" -> job.write(Structures.authenticate(job));
            case "expand" -> job.expect(Structures.expand(job.file("in")));
            default -> throw new IllegalArgumentException("what is " + job.text("do") + "?");
        }
    }
}
