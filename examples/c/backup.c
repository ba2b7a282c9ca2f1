/* Backs up, cancels, verifies and restores through the C interface, and shows what errors look like.
 *
 *   cc -Wall -Icrates/backup-ffi/include examples/c/backup.c -Ltarget/release -ledms_backup -o backup
 *   ./backup WORK_FOLDER DATABASE_URL LIVE_FOLDER SCRATCH_DATABASE_URL
 *
 * WORK_FOLDER gets a repository and a restored copy; the database is restored into SCRATCH_DATABASE_URL, which must not exist or be empty.
 * Ends with 0 when everything went as it should.
 */
#include <edms_backup.h>
#include <stdio.h>
#include <string.h>

static int problems;

static void expect(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "NOT AS IT SHOULD BE: %s\n", what);
        problems++;
    }
}

/* Prints an error, if there is one, and frees it. */
static void tell(backup_error *error) {
    if (error == NULL) return;
    printf("  error %s: %s\n", backup_error_code(error), backup_error_message(error));
    if (backup_error_hint(error) != NULL) printf("  hint: %s\n", backup_error_hint(error));
    backup_error_free(error);
}

/* The text value of a field of a JSON object, copied into out. Enough for ids; a real program uses a JSON library. */
static void field(const char *json, const char *name, char *out, size_t size) {
    char pattern[64];
    snprintf(pattern, sizeof pattern, "\"%s\":\"", name);
    out[0] = '\0';
    const char *from = strstr(json, pattern);
    if (from == NULL) return;
    from += strlen(pattern);
    size_t length = strcspn(from, "\"");
    if (length >= size) length = size - 1;
    memcpy(out, from, length);
    out[length] = '\0';
}

/* Runs a request in this thread; keeps the value of the result's field `name` in `out`, if `name` is given. */
static backup_status run(const char *command, const char *request, const char *name, char *out, size_t size) {
    char *json = NULL;
    backup_error *error = NULL;
    backup_status status = backup_run(command, request, &json, &error);
    printf("%s: %s\n", command, status == BACKUP_OK ? "done" : "refused");
    if (status == BACKUP_OK && name != NULL) field(json, name, out, size);
    tell(error);
    backup_string_free(json);
    return status;
}

/* Waits for a job and shows its progress; with `cancel`, stops it as soon as it works on files. */
static backup_status finish(backup_job *job, int cancel, const char *name, char *out, size_t size) {
    backup_error *error = NULL;
    while (backup_job_wait(job, cancel ? 0 : 200, NULL) == BACKUP_RUNNING) {
        char *json = NULL;
        char phase[32];
        if (backup_job_progress(job, &json, NULL) != BACKUP_OK) continue;
        field(json, "phase", phase, sizeof phase);
        if (!cancel) printf("  %s\n", json);
        if (cancel && strcmp(phase, "files") == 0) expect(backup_job_cancel(job, NULL) == BACKUP_OK, "cancel");
        backup_string_free(json);
    }
    char *json = NULL;
    backup_status status = backup_job_result(job, &json, &error);
    if (status == BACKUP_OK && name != NULL) field(json, name, out, size);
    tell(error);
    backup_string_free(json);
    backup_job_free(job);
    return status;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: backup WORK_FOLDER DATABASE_URL LIVE_FOLDER SCRATCH_DATABASE_URL\n");
        return 2;
    }
    const char *work = argv[1], *database = argv[2], *files = argv[3], *scratch = argv[4];
    if (backup_abi_version() != BACKUP_ABI_VERSION) {
        fprintf(stderr, "the library speaks version %u, this program %u\n", backup_abi_version(), BACKUP_ABI_VERSION);
        return 1;
    }
    printf("edms-backup %s\n", backup_version());
    char create[4096], request[4096], id[128] = "", status[32] = "";
    backup_job *job = NULL;
    backup_error *error = NULL;

    /* A job that is cancelled in the middle leaves nothing behind. */
    snprintf(create, sizeof create,
             "{\"kind\": \"full\", \"repository\": \"%s/backups\", \"database_url\": \"%s\", \"files\": {\"documents\": \"%s\"}}", work, database,
             files);
    expect(backup_job_start("create", create, &job, &error) == BACKUP_OK, "the job starts");
    tell(error);
    expect(finish(job, 1, NULL, NULL, 0) == BACKUP_CANCELLED, "it is cancelled");

    /* A full backup, with progress. */
    job = NULL, error = NULL;
    expect(backup_job_start("create", create, &job, &error) == BACKUP_OK, "the job starts");
    tell(error);
    expect(finish(job, 0, "id", id, sizeof id) == BACKUP_OK && id[0] != '\0', "the backup is made");
    printf("made %s\n", id);

    snprintf(request, sizeof request, "{\"repository\": \"%s/backups\"}", work);
    char listed[128] = "";
    expect(run("list", request, "id", listed, sizeof listed) == BACKUP_OK, "the repository is listed");
    expect(strcmp(listed, id) == 0, "it holds the one backup and nothing of the cancelled one");
    snprintf(request, sizeof request, "{\"repository\": \"%s/backups\", \"source\": \"%s\"}", work, id);
    expect(run("verify", request, "status", status, sizeof status) == BACKUP_OK && strcmp(status, "ok") == 0, "it verifies");
    expect(run("show", request, "kind", status, sizeof status) == BACKUP_OK && strcmp(status, "full") == 0, "it is described");

    /* Restored beside the live system, and compared with the backup. */
    snprintf(request, sizeof request,
             "{\"repository\": \"%s/backups\", \"source\": \"%s\", \"database_url\": \"%s\", \"target\": \"%s/restored\", \"verify\": true}", work,
             id, scratch, work);
    job = NULL, error = NULL;
    expect(backup_job_start("restore", request, &job, &error) == BACKUP_OK, "the restore starts");
    tell(error);
    expect(finish(job, 0, "status", status, sizeof status) == BACKUP_OK && strcmp(status, "COMPLETE") == 0, "it is restored");

    /* Every kind of refusal. */
    char none[8];
    expect(run("creat", "{}", NULL, none, sizeof none) == BACKUP_FAILED, "no such command");
    expect(run("create", "{", NULL, none, sizeof none) == BACKUP_FAILED, "not JSON");
    expect(run("create", "{\"kind\": \"full\", \"colour\": 1}", NULL, none, sizeof none) == BACKUP_FAILED, "an unknown field");
    expect(run("list", "{\"repository\": \"/nonexistent\"}", NULL, none, sizeof none) == BACKUP_FAILED, "no repository");
    expect(run("verify", "{\"source\": \"/dev/null\"}", NULL, none, sizeof none) == BACKUP_FAILED, "not an archive");
    expect(run("create", "{\"kind\": \"database\", \"output\": \"/tmp\", \"database_url\": \"postgresql://u@127.0.0.1:1/x\"}", NULL, none,
               sizeof none) == BACKUP_FAILED, "no server");
    expect(run(NULL, "{}", NULL, none, sizeof none) == BACKUP_INVALID_ARGUMENT, "NULL");
    expect(run("list", "\xff", NULL, none, sizeof none) == BACKUP_INVALID_ARGUMENT, "not UTF-8");
    expect(backup_run("list", "{}", NULL, NULL) == BACKUP_INVALID_ARGUMENT, "nowhere to put the result");
    expect(backup_job_start("list", "{}", NULL, NULL) == BACKUP_INVALID_ARGUMENT, "nowhere to put the job");
    expect(backup_job_wait(NULL, 0, NULL) == BACKUP_INVALID_ARGUMENT, "no job");
    backup_job_free(NULL);
    backup_error_free(NULL);
    backup_string_free(NULL);

    printf(problems == 0 ? "everything as it should be\n" : "%d problems\n", problems);
    return problems == 0 ? 0 : 1;
}
