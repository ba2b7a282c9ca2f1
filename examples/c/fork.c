/* A job belongs to the process that started it: a child made by fork is told so, and may free its copy.
 *
 *   ./fork FOLDER     backs the folder up into FOLDER/../fork-backups
 */
#include <edms_backup.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    char request[4096];
    snprintf(request, sizeof request, "{\"kind\": \"files\", \"repository\": \"%s/../fork-backups\", \"files\": {\"documents\": \"%s\"}}", argv[1],
             argv[1]);
    backup_job *job = NULL;
    if (backup_job_start("create", request, &job, NULL) != BACKUP_OK) return 1;
    pid_t child = fork();
    if (child == 0) {
        char *json = NULL;
        int refused = backup_job_wait(job, -1, NULL) == BACKUP_WRONG_PROCESS &&
                      backup_job_progress(job, &json, NULL) == BACKUP_WRONG_PROCESS &&
                      backup_job_result(job, &json, NULL) == BACKUP_WRONG_PROCESS && backup_job_cancel(job, NULL) == BACKUP_WRONG_PROCESS;
        backup_job_free(job);
        /* A job of its own works. */
        snprintf(request, sizeof request, "{\"repository\": \"%s/../fork-backups\"}", argv[1]);
        job = NULL;
        int own = backup_job_start("recover", "{}", &job, NULL) == BACKUP_OK && backup_job_wait(job, 60000, NULL) == BACKUP_OK;
        backup_job_free(job);
        _exit(refused && own ? 0 : 1);
    }
    int status = 1;
    if (child < 0 || waitpid(child, &status, 0) != child) return 1;
    char *json = NULL;
    int done = backup_job_wait(job, -1, NULL) == BACKUP_OK && backup_job_result(job, &json, NULL) == BACKUP_OK;
    backup_string_free(json);
    backup_job_free(job);
    return done && status == 0 ? 0 : 1;
}
